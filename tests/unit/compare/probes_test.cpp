#include "compare/probes.hpp"

#include <gtest/gtest.h>

#include "compare/instance.hpp"

namespace twinbox::compare {
namespace {

using namespace std::chrono_literals;

TEST(ComponentOf, TellsOurProgramsFromWorkloads) {
  EXPECT_EQ(component_of("twinbox-vmm"), "monitor");
  EXPECT_EQ(component_of("twinbox"), "supervisor");
  EXPECT_EQ(component_of("twinbox (deleted)"), "supervisor");
  EXPECT_EQ(component_of("memfd:twinbox (deleted)"), "supervisor");
  EXPECT_EQ(component_of("busybox"), "workload");
  EXPECT_EQ(component_of("containerd-shim-runc-v2"), "supervisor");
  EXPECT_EQ(component_of("qemu-system-x86_64"), "monitor");
}

TEST(MeasureMemory, HoldsTheProcessAndItsChildren) {
  Instance instance({"/bin/sh", "-c", "sh -c 'echo ready; cat; exit 0'; exit 0"},
                    Instance::Input::held_open);
  ASSERT_TRUE(instance.wait_ready(60s));
  const auto memory = measure_memory({instance.pid()});
  // The outer shell, the inner one, and cat as soon as it has been forked.
  EXPECT_GE(memory.processes, 2);
  const auto total = memory.total();
  EXPECT_GT(total.pss, 0U);
  EXPECT_GE(total.rss, total.pss);
  EXPECT_GE(total.pss, total.uss);
  EXPECT_GT(total.virtual_size, total.rss);
  EXPECT_TRUE(memory.components.contains("workload"));
  EXPECT_FALSE(memory.components.contains("guest RAM"));
  instance.finish(60s);
}

TEST(MeasureMemory, OfAProcessThatIsGoneIsNothing) {
  Instance instance({"/bin/sh", "-c", "exit 0"}, Instance::Input::none);
  instance.finish(60s);
  EXPECT_EQ(measure_memory({instance.pid()}).processes, 0);
}

TEST(AvailableMemory, IsSomeOfTheHosts) { EXPECT_GT(available_memory(), 1U << 20U); }

}  // namespace
}  // namespace twinbox::compare
