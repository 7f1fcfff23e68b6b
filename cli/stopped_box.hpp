// The files of a box that does not run, held so that nobody starts or removes it meanwhile.
#pragma once

#include <memory>

#include "image/store.hpp"
#include "sandbox/engine.hpp"
#include "supervise/store.hpp"

namespace twinbox::cli {

class StoppedFiles {
 public:
  // Throws base::Error (conflict) when another process owns the box.
  explicit StoppedFiles(const supervise::BoxRecord& record);

  sandbox::Engine& engine() const { return *engine_; }
  sandbox::StoppedBox box() const;

 private:
  supervise::OwnedBox owned_;
  image::PreparedImage image_;
  std::unique_ptr<sandbox::Engine> engine_;
};

}  // namespace twinbox::cli
