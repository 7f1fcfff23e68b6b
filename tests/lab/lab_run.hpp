// Runs programs from a test, most of them `twinbox lab exec`, with their streams apart.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::test {

struct RunResult {
  int status = -1;  // as a shell reports it
  std::string out;
  std::string err;
};

// A program at work. Its output goes to files in memory, so that it never waits for a reader; the
// destructor kills what still runs.
class Running {
 public:
  // `args[0]` "twinbox" is the one that was built with this test; others are looked up in PATH.
  // `env` is added to the test's own environment.
  explicit Running(std::vector<std::string> args, std::string_view input = {},
                   const std::vector<std::string>& env = {});
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // True when `text` has come on stdout before the (generous) deadline, or false when the program
  // ended without it.
  bool wait_for_output(std::string_view text);
  RunResult wait();

 private:
  bool ended_within(std::chrono::milliseconds time);

  pid_t pid_ = -1;
  base::Fd pidfd_;
  base::Fd out_;
  base::Fd err_;
};

RunResult run(std::vector<std::string> args, std::string_view input = {},
              const std::vector<std::string>& env = {});

// `twinbox lab exec -- args`, in the lab that the suite keeps.
RunResult in_lab(std::vector<std::string> args, std::string_view input = {});
// The same with a shell script.
RunResult script_in_lab(const std::string& script, std::string_view input = {});
std::vector<std::string> lines_of(const std::string& text);
// Runs those of the comparison's own tests that `filter` (as of --gtest_filter) names in the lab;
// expects that they are `count`, and that all of them pass and none is skipped.
void expect_comparison_tests_pass_in_lab(const std::string& filter, int count);

}  // namespace twinbox::test
