// Waits until something happens in a directory.
#pragma once

#include <chrono>
#include <filesystem>

#include "base/fd.hpp"

namespace twinbox::supervise {

// Nothing that happens after its construction is missed: look at the files, then wait().
class DirectoryWatch {
 public:
  // Throws base::Error when the directory is not there.
  explicit DirectoryWatch(const std::filesystem::path& directory);

  // Returns when a file was written, made, replaced or removed since the last call, the directory
  // itself went, a signal came, or `longest` has passed.
  void wait(std::chrono::milliseconds longest);
  // Removed, or renamed; known after the wait() that it ended.
  bool gone() const { return gone_; }

 private:
  base::Fd inotify_;
  bool gone_ = false;
};

}  // namespace twinbox::supervise
