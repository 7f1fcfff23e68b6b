// Boxes that are plain shell scripts on this host: an engine for tests of what drives engines.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sandbox/engine.hpp"

namespace twinbox::tests {

// Runs `sh -c` with the first of a process's arguments. An empty one never runs: it ends with
// status 127 and an error with a hint.
class ScriptEngine : public sandbox::Engine {
 public:
  std::string_view name() const override { return "script"; }
  void check_host() const override {}
  std::unique_ptr<sandbox::Box> create(sandbox::BoxRequest request) override;
  void clean_up(const std::string&, const std::filesystem::path&) override {}
};

}  // namespace twinbox::tests
