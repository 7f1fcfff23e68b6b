// What twinbox could leave behind on a host: files of its store, processes, control groups, mounts.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace twinbox::testing {

// For a store that one test alone uses.
class Leftovers {
 public:
  explicit Leftovers(std::filesystem::path root) : root_(std::move(root)) {}

  // Everything below the store but what is inside of blobs and layers, or behind symbolic links.
  std::set<std::string> store() const;
  // Processes that run in one of its boxes, or are a twinbox that uses it: pid and command line.
  std::vector<std::string> processes() const;
  bool is_ours(pid_t process) const;
  // Control groups of the boxes with these ids, also where other tests' groups come and go.
  static std::vector<std::string> control_groups(const std::vector<std::string>& ids);
  // Whether anything below the store is mounted where this process sees it.
  bool mounted() const;

 private:
  std::filesystem::path root_;
};

// The whole of a file; empty where it cannot be read, as when its process ends.
std::string text_of(const std::filesystem::path& file);

}  // namespace twinbox::testing
