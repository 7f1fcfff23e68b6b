// A store of its own and the built `twinbox`, for tests that act as a user would.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "tests/native/cli/command.hpp"

namespace twinbox::testing {

class CliFixture : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  // Skips without root privileges. Imports the image `busybox`.
  void SetUp() override;
  // Ends the boxes that the test leaves.
  void TearDown() override;

  // `twinbox ARGS` with this test's store.
  Command start(const Words& args, std::string input = {}) const;
  CommandResult twinbox(const Words& args, std::string input = {}) const;

  std::filesystem::path root() const { return directory_.path() / "data"; }
  const std::filesystem::path& scratch() const { return directory_.path(); }
  // A directory with busybox under the names of some applets: what the image is made from.
  std::filesystem::path image_source() const { return directory_.path() / "source"; }
  std::filesystem::path blob(const std::string& digest) const;
  // "sha256:..." of the image's config, and of its layer.
  std::string config_digest() const;
  std::string layer_digest() const;
  static void damage(const std::filesystem::path& file);

  // Waits until it is gone; the box dies with it.
  void kill_supervisor_of(const std::string& id) const;
  // A supervisor that is to die with its command does not do so at the same instant: repeats
  // commands until they have swept it, or fails.
  void sweep_until_no_box_is_left() const;

  // Mounts made from here on are seen by this process and its children only.
  void enter_own_mount_namespace() const;

 private:
  base::TemporaryDirectory directory_{"/tmp", "twinbox-cli-test-"};
};

std::vector<std::string> names_in(const std::filesystem::path& directory);

}  // namespace twinbox::testing
