#include "compare/environment.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace twinbox::compare {
namespace {

class SampleHost : public ::testing::Test {
 protected:
  void put(const std::string& path, std::string_view text) {
    const auto full = root_.path() / path;
    base::make_directories(full.parent_path());
    base::write_file(full, text);
  }
  std::string found(const std::string& name) { return fact(collect_facts(root_.path()), name); }

  base::TemporaryDirectory root_;
};

TEST_F(SampleHost, WithoutAnyFilesIsUnknown) {
  EXPECT_EQ(found("processor"), "unknown");
  EXPECT_EQ(found("cgroup version"), "unknown");
  EXPECT_EQ(found("hardware virtualization"), "none");
}

TEST_F(SampleHost, TellsItsProcessor) {
  put("proc/cpuinfo",
      "processor\t: 0\nmodel name\t: AMD EPYC 9999\nmicrocode\t: 0xa1\n"
      "flags\t\t: fpu svm hypervisor nx\n\nprocessor\t: 1\nmodel name\t: other\n");
  EXPECT_EQ(found("processor"), "AMD EPYC 9999");
  EXPECT_EQ(found("microcode"), "0xa1");
  EXPECT_EQ(found("hardware virtualization"), "SVM");
  EXPECT_EQ(found("runs under a hypervisor"), "yes");
}

TEST_F(SampleHost, TellsItsMemorySettings) {
  put("proc/meminfo", "MemTotal: 2097152 kB\nMemAvailable: 1048576 kB\nSwapTotal: 0 kB\n");
  put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  put("sys/kernel/mm/ksm/run", "1\n");
  EXPECT_EQ(found("memory"), "2.0 GiB");
  EXPECT_EQ(found("swap"), "none");
  EXPECT_EQ(found("transparent huge pages"), "madvise");
  EXPECT_EQ(found("same-page merging"), "on");
}

TEST_F(SampleHost, TellsItsCgroupVersion) {
  put("sys/fs/cgroup/memory/tasks", "");
  EXPECT_EQ(found("cgroup version"), "1");
  put("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  EXPECT_EQ(found("cgroup version"), "2");
}

TEST_F(SampleHost, ListsWhatItMitigates) {
  put("sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n");
  put("sys/devices/system/cpu/vulnerabilities/spectre_v2", "Mitigation: Retpolines\n");
  EXPECT_EQ(found("mitigations"), "spectre_v2: Mitigation: Retpolines");
}

TEST_F(SampleHost, TellsItsLoad) {
  put("proc/loadavg", "0.25 0.10 0.05 1/200 1234\n");
  EXPECT_EQ(found("load before"), "0.25");
}

TEST_F(SampleHost, TellsTheTimeThatWasStolen) {
  put("proc/stat", "cpu  10 0 10 70 5 0 0 5 0 0\ncpu0 1 1 1 1\n");
  EXPECT_EQ(found("stolen time"), "5.00 %");
  const auto begin = processor_times(root_.path());
  put("proc/stat", "cpu  10 0 10 168 5 0 0 7 0 0\n");
  EXPECT_EQ(stolen_share(begin, processor_times(root_.path())), "2.00 %");
  EXPECT_EQ(stolen_share(begin, begin), "unknown");
}

}  // namespace
}  // namespace twinbox::compare
