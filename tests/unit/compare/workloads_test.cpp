#include "compare/workloads.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

std::optional<double> found(const std::string& workload, const std::string& output) {
  return figure_in(find_workload(workload).value(), output);
}

TEST(Workloads, HaveNamesOfTheirOwnAndFiguresWithUnits) {
  std::set<std::string> names;
  for (const auto& name : workload_names()) {
    EXPECT_TRUE(names.insert(name).second) << name;
    const auto workload = find_workload(name).value();
    EXPECT_FALSE(workload.args.empty()) << name;
    if (workload.figure.empty()) continue;
    EXPECT_NO_THROW(check_figure(name, workload.figure)) << name;
    EXPECT_FALSE(workload.unit.empty()) << name;
  }
  EXPECT_FALSE(find_workload("quake").has_value());
}

// Lines as the programs of Debian 12 print them.
TEST(Figures, AreFoundInWhatProgramsPrint) {
  EXPECT_EQ(found("sysbench-cpu", "CPU speed:\n    events per second:  1234.56\n"), 1234.56);
  EXPECT_EQ(found("openssl-sha256", "+DT:sha256:1:16384\n+F:25:sha256:1698583552.00\n"),
            1698583552.0);
  EXPECT_EQ(found("mbw",
                  "AVG\tMethod: MEMCPY\tElapsed: 0.00215\tMiB: 16.00000\tCopy: 7440.824 "
                  "MiB/s\n"),
            7440.824);
  EXPECT_EQ(found("hackbench", "Running in process mode\nTime: 0.042\n"), 0.042);
  EXPECT_EQ(found("redis", "\"test\",\"rps\"\n\"GET\",\"62500.00\",\"0.063\"\n"), 62500.0);
  EXPECT_EQ(found("syscalls", "syscalls: 104.2 ns/call\n"), 104.2);
}

TEST(Figures, OfFioAreTheFieldsOfItsTerseOutput) {
  // Fields 1 to 60, each its own number, but the version.
  std::string line = "3";
  for (int field = 2; field <= 60; ++field) line += fmt::format(";{}", field);
  EXPECT_EQ(found("fio-read-4k", line), 8);
  EXPECT_EQ(found("fio-read-1m", line), 7);
  EXPECT_EQ(found("fio-write-4k", "fio: a warning\n" + line), 49);
  EXPECT_EQ(found("fio-write-1m", line), 48);
}

TEST(Figures, ThatAreNotThereAreNothing) {
  EXPECT_FALSE(found("sysbench-cpu", "FATAL: no\n").has_value());
}

}  // namespace
}  // namespace twinbox::compare
