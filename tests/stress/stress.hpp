// What the stress tests share: a store of their own, with boxes of the engine that was asked for.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "tests/native/cli/command.hpp"
#include "tests/support/leftovers.hpp"

namespace twinbox::testing {

using Words = std::vector<std::string>;

// By the flags of the test program.
struct StressPlan {
  std::string engine = "container";
  std::filesystem::path twinbox;
  unsigned boxes = 50;   // at once
  unsigned rounds = 72;  // of SIGKILL
  unsigned seed = 20240229;
};
StressPlan& plan();

class Stress : public ::testing::Test {
 protected:
  Stress();
  ~Stress() override;

  // `twinbox ARGS` with this test's store.
  std::unique_ptr<Command> start(const Words& args) const;
  CommandResult twinbox(const Words& args) const;
  // The lines that a command prints; a failure when it fails.
  Words lines(const Words& args) const;
  // `run` or `create` with the engine, and what follows the flags.
  static Words box(Words verb, const Words& rest);
  // Asks again and again, for a minute of an idle machine or many of a busy one.
  static bool comes_true(const std::function<bool()>& condition);

  // Removes every box, and compares what is there with what was when the test began.
  void remove_all_and_expect_nothing_left(const Words& ids) const;
  void expect_nothing_left(const Words& ids) const;

  std::filesystem::path root() const { return directory_.path() / "store"; }
  const std::filesystem::path& scratch() const { return directory_.path(); }
  const Leftovers& leftovers() const { return leftovers_; }

 private:
  base::TemporaryDirectory directory_{"/tmp", "twinbox-stress-"};
  // The templates of machines are mounted there, and stay: no trace of a box.
  std::filesystem::path run_ =
      plan().engine == "vm" ? "/run" / directory_.path().filename() : directory_.path() / "run";
  Leftovers leftovers_{directory_.path()};
  std::set<std::string> before_;
};

}  // namespace twinbox::testing
