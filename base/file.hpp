// Whole files and temporary directories.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::base {

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view text);
// Writes a new file beside `path`, syncs it and renames it over: readers see the old or the new
// whole.
void write_file_atomic(const std::filesystem::path& path, std::string_view text);
// The names in a directory, "." and ".." left out; none where it cannot be read. For what every
// command looks through: directory_iterator takes twice the system calls, and 32 KiB.
std::vector<std::string> names_in(const std::filesystem::path& directory);
// Makes the directory and its parents; an error names the path.
void make_directories(const std::filesystem::path& path);
// Makes a directory, for its owner only, that nobody else has: below `parent`, its name `prefix`
// and six characters.
std::filesystem::path make_unique_directory(const std::filesystem::path& parent,
                                            std::string_view prefix);

// Removes a file, or a directory with all in it; what is not there is no error. It never enters
// anything mounted there (that is an error), so a left-over bind mount keeps what it shows. Others
// may remove the same, or change it: no link that they put into it is followed. The tree may be
// deeper than a path can name.
void remove_tree(const std::filesystem::path& path);
// The same for one name in the directory `parent`.
void remove_tree_at(int parent, const std::string& name);

// A directory that is removed, with all in it, at the end of its owner's life.
class TemporaryDirectory {
 public:
  // Made below `parent` with a name that begins with `prefix`.
  explicit TemporaryDirectory(const std::filesystem::path& parent = "/tmp",
                              std::string_view prefix = "twinbox-");
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace twinbox::base
