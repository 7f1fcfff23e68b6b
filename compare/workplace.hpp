// The place where a comparison keeps short-lived files, and the undoing of everything that it and
// its commands leave on the host: boxes and images of other engines, processes, the place itself.
#pragma once

#include <filesystem>
#include <string>

#include "base/fd.hpp"

namespace twinbox::compare {

// Undone at its end, or, when its process was killed, by the next one that is made.
class Workplace {
 public:
  Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  base::Fd lock_;  // on the directory: released by the kernel when the process ends
};

// Undoes what comparisons left whose processes are gone. Says nothing of what it cannot undo.
void clear_dead_workplaces();

}  // namespace twinbox::compare
