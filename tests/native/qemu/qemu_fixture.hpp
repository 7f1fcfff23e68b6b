// A store with the guest's kernel, for tests that run boxes in QEMU.
#pragma once

#include <filesystem>
#include <string>

#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {

class QemuFixture : public CliFixture {
 protected:
  // Skips where libvirt, QEMU or the guest's kernel is missing. The kernel and what is made of it
  // are shared with the store that the tests' environment names: making them anew takes longer
  // than a test.
  void SetUp() override;

  // `twinbox ARGS` with this test's store and its own run directory.
  Command start_here(const Words& args, std::string input = {}) const;
  // `twinbox run --as qemu ARGS`.
  Command start_box(Words args, std::string input = {}) const;
  CommandResult run_box(Words args, std::string input = {}) const;

  std::filesystem::path run_directory() const { return scratch() / "run"; }
  // The QEMUs of this test's commands, those without a box too, by pid.
  Words qemus() const { return qemus(run_directory().string() + "/"); }
  // Those with `text` in their command line.
  static Words qemus(const std::string& text);
};

}  // namespace twinbox::testing
