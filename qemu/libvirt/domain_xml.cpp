#include "qemu/libvirt/domain_xml.hpp"

#include <pugixml.hpp>
#include <sstream>
#include <string_view>

#include "base/error.hpp"
#include "base/size.hpp"
#include "sandbox/guest_box.hpp"

namespace twinbox::qemu::libvirt {
namespace {

constexpr unsigned first_slot = 3;  // after what q35 has of its own
constexpr unsigned functions_per_slot = 8;

pugi::xml_node add(pugi::xml_node parent, const char* name) { return parent.append_child(name); }

pugi::xml_node add_text(pugi::xml_node parent, const char* name, const std::string& text) {
  auto node = add(parent, name);
  node.text().set(text.c_str());
  return node;
}

void set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(value.c_str());
}

// Each device sits on the root bus. On ports of its own, as libvirt would place it, the guest would
// probe each port at boot, which takes an emulated processor longer than the disk is worth.
void add_address(pugi::xml_node device, unsigned index) {
  auto address = add(device, "address");
  set(address, "type", "pci");
  set(address, "bus", "0");
  set(address, "slot", std::to_string(first_slot + index / functions_per_slot));
  set(address, "function", std::to_string(index % functions_per_slot));
  if (index % functions_per_slot == 0) set(address, "multifunction", "on");
}

void add_boot(pugi::xml_node domain, const DomainConfig& config) {
  auto os = add(domain, "os");
  auto type = add_text(os, "type", "hvm");
  set(type, "arch", "x86_64");
  set(type, "machine", "q35");
  add_text(os, "kernel", config.kernel);
  add_text(os, "initrd", config.initrd);
  add_text(os, "cmdline", config.command_line);
}

void add_processor(pugi::xml_node domain, const DomainConfig& config) {
  add_text(domain, "vcpu", std::to_string(config.cpus));
  auto cpu = add(domain, "cpu");
  set(cpu, "mode", config.kvm ? "host-passthrough" : "maximum");
  auto features = add(domain, "features");
  add(features, "acpi");
  add(features, "apic");
}

// A guest that ends, in whatever way, takes its QEMU with it.
void add_ends(pugi::xml_node domain) {
  for (const char* const event : {"on_poweroff", "on_reboot", "on_crash"}) {
    add_text(domain, event, "destroy");
  }
}

void add_disk(pugi::xml_node devices, const std::filesystem::path& image, const std::string& name,
              unsigned place) {
  auto disk = add(devices, "disk");
  set(disk, "type", "file");
  set(disk, "device", "disk");
  auto driver = add(disk, "driver");
  set(driver, "name", "qemu");
  set(driver, "type", "raw");
  set(add(disk, "source"), "file", image);
  auto target = add(disk, "target");
  set(target, "dev", name);
  set(target, "bus", "virtio");
  add(disk, "readonly");
  add_address(disk, place);
}

void add_port(pugi::xml_node devices, const DomainConfig& config) {
  auto controller = add(devices, "controller");
  set(controller, "type", "virtio-serial");
  add_address(controller, 0);
  auto channel = add(devices, "channel");
  set(channel, "type", "unix");
  auto source = add(channel, "source");
  set(source, "mode", "bind");
  set(source, "path", config.port_socket);
  auto target = add(channel, "target");
  set(target, "type", "virtio");
  set(target, "name", config.port);
}

void add_console(pugi::xml_node devices, const DomainConfig& config) {
  auto serial = add(devices, "serial");
  set(serial, "type", "file");
  set(add(serial, "source"), "path", config.console);
}

// What libvirt adds unless it is told otherwise.
void add_absences(pugi::xml_node devices) {
  auto usb = add(devices, "controller");
  set(usb, "type", "usb");
  set(usb, "model", "none");
  set(add(devices, "memballoon"), "model", "none");
}

}  // namespace

std::string domain_xml(const DomainConfig& config) {
  if (config.disks.size() > max_disks) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("an image of {} layers has too many for the engine qemu, which takes {}",
                    config.disks.size(), max_disks));
  }
  pugi::xml_document document;
  auto domain = document.append_child("domain");
  set(domain, "type", config.kvm ? "kvm" : "qemu");
  add_text(domain, "name", config.name);
  set(add_text(domain, "memory", std::to_string(config.memory_bytes / base::kibibyte)), "unit",
      "KiB");
  add_boot(domain, config);
  add_processor(domain, config);
  add_ends(domain);
  auto devices = add(domain, "devices");
  add_text(devices, "emulator", config.emulator);
  add_absences(devices);
  add_port(devices, config);
  for (unsigned i = 0; i < config.disks.size(); ++i) {
    // The first slot is the port's.
    add_disk(devices, config.disks[i], sandbox::disk_name(i), functions_per_slot + i);
  }
  add_console(devices, config);
  std::ostringstream text;
  document.save(text);
  return text.str();
}

}  // namespace twinbox::qemu::libvirt
