#include "sandbox/machine_size.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::sandbox {
namespace {

Resources resources(std::optional<std::uint64_t> memory, std::optional<double> cpus) {
  return {.memory_bytes = memory, .cpus = cpus, .pids = {}};
}

TEST(MachineSize, HasDefaults) {
  const auto size = machine_size({});
  EXPECT_EQ(size.memory_bytes, default_machine_memory);
  EXPECT_EQ(size.cpus, 1U);
}

TEST(MachineSize, IsWholePagesAndProcessors) {
  const auto size = machine_size(resources(96 * base::mebibyte + 5, 1.5));
  EXPECT_EQ(size.memory_bytes, 96 * base::mebibyte);
  EXPECT_EQ(size.cpus, 2U);
}

TEST(MachineSize, RefusesWhatNoKernelBootsWith) {
  EXPECT_THROW(machine_size(resources(base::mebibyte, {})), base::Error);
  EXPECT_THROW(machine_size(resources({}, 0)), base::Error);
  EXPECT_THROW(machine_size(resources({}, -1)), base::Error);
  EXPECT_THROW(machine_size(resources({}, 100)), base::Error);
}

}  // namespace
}  // namespace twinbox::sandbox
