// The command `twinbox compare` with a small image of its own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/command.hpp"
#include "base/file.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

// The command that was built; in the lab, which has it elsewhere, that one.
std::string twinbox_program();

// With TWINBOX_TEST_IN_PLACE set, what there is in TWINBOX_ROOT is used.
class CompareCommand : public ::testing::Test {
 protected:
  void SetUp() override;
  base::CommandResult twinbox(std::vector<std::string> args) const;
  std::filesystem::path out() const { return directory_.path() / "out"; }
  Result report() const;

 private:
  void import_image() const;

  base::TemporaryDirectory directory_;
};

}  // namespace twinbox::compare
