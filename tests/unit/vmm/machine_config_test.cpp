#include "vmm/machine_config.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::vmm {
namespace {

TEST(MachineConfig, IsReadBackAsItWasWritten) {
  MachineConfig config;
  config.kernel = "/boot/vmlinux";
  config.initrd = "/boot/initrd";
  config.command_line = "console=ttyS0 \"quoted\"";
  config.memory_bytes = 5ULL << 30;
  config.cpus = 4;
  config.disks = {{"/a.img", true}, {"/b.img", false}};
  config.image = {.size = 64 << 20, .files = {{.path = "/l.erofs", .offset = 4096, .size = 9}}};
  config.ports = {{"twinbox", 7}};
  config.serial_in = 0;
  config.serial_out = 1;
  config.report = 9;
  config.boot_limit_ms = 30'000;
  const auto read = machine_config_from_json(to_json(config), "test");
  EXPECT_EQ(to_json(read), to_json(config));
  EXPECT_EQ(read.command_line, config.command_line);
  EXPECT_EQ(read.memory_bytes, config.memory_bytes);
  ASSERT_EQ(read.disks.size(), 2U);
  EXPECT_TRUE(read.disks[0].read_only);
  EXPECT_EQ(read.disks[1].path, "/b.img");
  ASSERT_EQ(read.image.files.size(), 1U);
  EXPECT_EQ(read.image.files[0].offset, 4096U);
  ASSERT_EQ(read.ports.size(), 1U);
  EXPECT_EQ(read.ports[0].descriptor, 7);
}

TEST(MachineConfig, OnlyKernelAndMemoryAreNeeded) {
  const auto config = machine_config_from_json(R"({"kernel":"k","memory_bytes":1})", "test");
  EXPECT_EQ(config.cpus, 1U);
  EXPECT_EQ(config.report, -1);
  EXPECT_TRUE(config.disks.empty());
}

TEST(MachineConfig, MistakesNameTheirField) {
  const auto message = [](const char* text) -> std::string {
    try {
      machine_config_from_json(text, "machine.json");
    } catch (const base::Error& error) {
      return error.message();
    }
    return "no error";
  };
  EXPECT_NE(message(R"({"memory_bytes":1})").find("kernel"), std::string::npos);
  EXPECT_NE(message(R"({"kernel":"k","memory_bytes":-1})").find("memory_bytes"), std::string::npos);
  EXPECT_NE(message(R"({"kernel":"k","memory_bytes":1,"disks":[{"path":5}]})").find("disks"),
            std::string::npos);
  EXPECT_NE(message("{").find("machine.json"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::vmm
