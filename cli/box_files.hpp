// The files of a box, whether it runs or not, through the engine's own tasks.
#pragma once

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

}  // namespace twinbox::cli
