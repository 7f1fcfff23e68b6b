// The files of a box, whether it runs or not, through the engine's own tasks.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/stopped_box.hpp"
#include "sandbox/box_report.hpp"
#include "sandbox/engine.hpp"
#include "supervise/record.hpp"

namespace twinbox::cli {

class BoxFiles {
 public:
  explicit BoxFiles(const supervise::BoxRecord& record);

  // To its end; throws base::Error with why it failed.
  void run(const sandbox::FileTask& task, sandbox::Stdio stdio) const;
  // None where nothing is there.
  std::optional<sandbox::PathInfo> describe(const std::string& path) const;

 private:
  supervise::BoxRecord record_;
  std::optional<StoppedFiles> stopped_;
};

// What a copy of a box's `path`, which begins with a slash, is called: one component, or "." for
// the box's root. Never asked of the box, for it would choose a file of this host.
std::string name_in_box(const std::filesystem::path& path);

}  // namespace twinbox::cli
