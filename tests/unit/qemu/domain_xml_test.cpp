#include "qemu/libvirt/domain_xml.hpp"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/size.hpp"

namespace twinbox::qemu::libvirt {
namespace {

DomainConfig config() {
  return {.name = "0123456789ab",
          .kvm = false,
          .memory_bytes = 96 * base::mebibyte,
          .cpus = 2,
          .emulator = "/usr/bin/qemu-system-x86_64",
          .kernel = "/kernels/vmlinux",
          .initrd = "/cache/initrd",
          .command_line = "quiet a=\"b\" c<d&e",
          .disks = {"/layers/one & two.erofs", "/layers/\"three\".erofs"},
          .port = "twinbox.agent",
          .port_socket = "/boxes/agent.sock",
          .console = "/boxes/console.log"};
}

pugi::xml_document parsed(const DomainConfig& config) {
  pugi::xml_document document;
  const auto result = document.load_string(domain_xml(config).c_str());
  EXPECT_TRUE(result) << result.description();
  return document;
}

std::string value(const pugi::xml_document& document, const char* path) {
  return document.select_node(path).node().text().get();
}

std::string attribute(const pugi::xml_document& document, const char* path) {
  return document.select_node(path).attribute().value();
}

TEST(DomainXml, SaysWhatTheMachineHas) {
  const auto document = parsed(config());
  EXPECT_EQ(value(document, "/domain/name"), "0123456789ab");
  EXPECT_EQ(value(document, "/domain/memory[@unit='KiB']"), "98304");
  EXPECT_EQ(value(document, "/domain/vcpu"), "2");
  EXPECT_EQ(value(document, "/domain/os/kernel"), "/kernels/vmlinux");
  EXPECT_EQ(value(document, "/domain/os/initrd"), "/cache/initrd");
  EXPECT_EQ(attribute(document, "//channel/source/@path"), "/boxes/agent.sock");
  EXPECT_EQ(attribute(document, "//channel/target/@name"), "twinbox.agent");
  EXPECT_EQ(attribute(document, "//serial/source/@path"), "/boxes/console.log");
}

TEST(DomainXml, KeepsTextThatXmlGivesAMeaningTo) {
  const auto document = parsed(config());
  EXPECT_EQ(value(document, "/domain/os/cmdline"), "quiet a=\"b\" c<d&e");
  EXPECT_EQ(attribute(document, "//disk[1]/source/@file"), "/layers/one & two.erofs");
  EXPECT_EQ(attribute(document, "//disk[2]/source/@file"), "/layers/\"three\".erofs");
}

TEST(DomainXml, AsksForTheKindOfProcessor) {
  auto machine = config();
  EXPECT_EQ(attribute(parsed(machine), "/domain/@type"), "qemu");
  machine.kvm = true;
  EXPECT_EQ(attribute(parsed(machine), "/domain/@type"), "kvm");
  EXPECT_EQ(attribute(parsed(machine), "/domain/cpu/@mode"), "host-passthrough");
}

TEST(DomainXml, GivesEachDeviceAPlaceOfItsOwnAndDisksNoWriting) {
  auto machine = config();
  machine.disks.assign(max_disks, "/layers/layer.erofs");
  const auto document = parsed(machine);
  std::set<std::string> places;
  for (const auto& found : document.select_nodes("//address")) {
    const auto address = found.node();
    EXPECT_LE(address.attribute("slot").as_int(), 0x1d) << "the rest is q35's own";
    places.insert(std::string(address.attribute("slot").value()) + "." +
                  address.attribute("function").value());
  }
  EXPECT_EQ(places.size(), max_disks + 1) << "the disks and the port";
  EXPECT_EQ(document.select_nodes("//disk/readonly").size(), max_disks);
  EXPECT_EQ(attribute(document, "//disk[27]/target/@dev"), "vdaa");
}

TEST(DomainXml, RefusesMoreDisksThanThereArePlaces) {
  auto machine = config();
  machine.disks.assign(max_disks + 1, "/layers/layer.erofs");
  EXPECT_THROW(domain_xml(machine), base::Error);
}

}  // namespace
}  // namespace twinbox::qemu::libvirt
