// A store with the guest's kernel, for tests that run boxes in QEMU.
#pragma once

#include <string>
#include <vector>

#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {

class QemuFixture : public CliFixture {
 protected:
  // Skips where libvirt, QEMU or the guest's kernel is missing. The kernel and what is made of it
  // are shared with the store that the tests' environment names: making them anew takes longer
  // than a test.
  void SetUp() override;

  // `twinbox run --as qemu ARGS`.
  Command start_box(Words args, std::string input = {}) const;
  CommandResult run_box(Words args, std::string input = {}) const;
};

// The QEMUs that run the box `id`, by pid.
std::vector<std::string> qemus_of(const std::string& id);
// An argument of QEMU that begins with `prefix`; empty when there is none.
std::string argument_of(const std::string& pid, const std::string& text);

}  // namespace twinbox::testing
