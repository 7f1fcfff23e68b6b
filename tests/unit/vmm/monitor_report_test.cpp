#include "vmm/monitor_report.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::vmm {
namespace {

using sandbox::Mark;

MonitorEnd some_end() {
  MonitorEnd end{.reason = EndReason::triple_fault};
  end.message = "it fell";
  end.hint = "hold it";
  end.rip = 0xffff'ffff'8100'0000;
  end.last_serial = {"one", "two"};
  end.exits = {{"io", 12}, {"mmio", 3}};
  end.exits_at_boot = {{"io", 10}};
  return end;
}

TEST(MonitorReport, IsReadBackAsItWasWritten) {
  ReportParser parser;
  parser.feed(mark_line(Mark::entered, {.monotonic_ns = 17}));
  parser.feed(mark_line(Mark::booted, {.monotonic_ns = 42, .cpu_ns = 23}));
  parser.feed(end_line(some_end()));
  const auto& report = parser.report();
  EXPECT_EQ(report.marks.at(Mark::entered), 17U);
  EXPECT_EQ(report.marks.at(Mark::booted), 42U);
  EXPECT_FALSE(report.marks.at(Mark::created));
  EXPECT_EQ(report.marks.cpu_at(Mark::booted), 23U);
  EXPECT_FALSE(report.marks.cpu_at(Mark::entered)) << "nobody counted";
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.end->reason, EndReason::triple_fault);
  EXPECT_EQ(report.end->message, "it fell");
  EXPECT_EQ(report.end->hint, "hold it");
  EXPECT_EQ(report.end->rip, some_end().rip);
  EXPECT_EQ(report.end->last_serial, some_end().last_serial);
  EXPECT_EQ(report.end->exits, some_end().exits);
  EXPECT_EQ(report.end->exits_at_boot, some_end().exits_at_boot);
}

TEST(MonitorReport, MayArriveInAnyPieces) {
  const auto text = mark_line(Mark::created, {.monotonic_ns = 5}) + end_line(some_end());
  ReportParser parser;
  for (const char c : text) parser.feed({&c, 1});
  EXPECT_EQ(parser.report().marks.at(Mark::created), 5U);
  EXPECT_TRUE(parser.report().end);
}

TEST(MonitorReport, HalfALineIsNoEnd) {
  ReportParser parser;
  const auto line = end_line(some_end());
  parser.feed(line.substr(0, line.size() - 1));
  EXPECT_FALSE(parser.report().end);
}

TEST(MonitorReport, AnyBytesOfAGuestCanBeReported) {
  auto end = some_end();
  end.last_serial = {"\xff\xfe broken \x80 text\n\"quoted\""};
  ReportParser parser;
  parser.feed(end_line(end));
  ASSERT_TRUE(parser.report().end);
  EXPECT_NE(parser.report().end->last_serial.at(0).find("broken"), std::string::npos);
}

TEST(MonitorReport, OtherLinesAreRefused) {
  EXPECT_THROW(ReportParser().feed("hello\n"), base::Error);
  EXPECT_THROW(ReportParser().feed("{\"event\":\"party\"}\n"), base::Error);
  EXPECT_THROW(ReportParser().feed("{\"event\":\"mark\",\"name\":\"nap\",\"ns\":1}\n"),
               base::Error);
  EXPECT_THROW(ReportParser().feed("{\"event\":\"end\",\"reason\":\"boredom\"}\n"), base::Error);
}

TEST(MonitorReport, OnlyShutdownAndResetAreSuccess) {
  EXPECT_EQ(exit_status(EndReason::shutdown), 0);
  EXPECT_EQ(exit_status(EndReason::reset), 0);
  for (const auto reason : {EndReason::setup_error, EndReason::triple_fault, EndReason::boot_limit,
                            EndReason::kvm_error, EndReason::internal_error, EndReason::stopped}) {
    EXPECT_NE(exit_status(reason), 0) << to_string(reason);
  }
}

}  // namespace
}  // namespace twinbox::vmm
