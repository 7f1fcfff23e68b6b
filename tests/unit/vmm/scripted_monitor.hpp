// A shell script in the place of twinbox-vmm.
#pragma once

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/event_loop.hpp"
#include "base/file.hpp"

namespace twinbox::vmm {

class ScriptedMonitor : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(directory_.path() / "templates");
    ::setenv("TWINBOX_BIN", directory_.path().c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("TWINBOX_BIN");
    ::umount2((directory_.path() / "templates").c_str(), MNT_DETACH);
  }

  // In bash. `value NAME` prints the number after "NAME": in the machine's configuration.
  void monitor_is(const std::string& script) const {
    const auto path = directory_.path() / "twinbox-vmm";
    base::write_file(path, R"(#!/bin/bash
set -e
value() { sed -E "s/.*$1:([0-9]+).*/\1/" /proc/self/fd/${config}; }
config=${1#--config-fd=}
)" + script);
    ::chmod(path.c_str(), 0755);
  }

  std::filesystem::path snapshot() const { return directory_.path() / "templates/key.snapshot"; }

  base::TemporaryDirectory directory_;
  base::EventLoop loop_;
};

}  // namespace twinbox::vmm
