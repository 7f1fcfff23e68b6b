// What is in the lab's root file system: files of the host and texts of our own, by their path in
// the lab.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace twinbox::qemu {

// Usage:
//   LabContents contents;
//   contents.add_program("/usr/bin/fio");          // with the libraries it needs
//   contents.add_text("/etc/hostname", "lab\n");
//   const auto image = lab_image(contents, cache);
class LabContents {
 public:
  struct Entry {
    mode_t mode = 0;  // type and permissions
    uid_t owner = 0;
    gid_t group = 0;
    dev_t device = 0;
    std::uint64_t size = 0;        // of a regular file, in bytes
    std::filesystem::path source;  // a regular file of the host; empty: `text`
    std::string text;              // what the file holds, or where the link points to
  };

  // Parent directories come by themselves. A target that is there already is replaced.
  void add_text(const std::filesystem::path& target, std::string text, mode_t permissions = 0644);
  void add_directory(const std::filesystem::path& target, mode_t permissions = 0755);
  void add_link(const std::filesystem::path& target, std::string destination);
  // One file of the host of any kind but a socket, not following links.
  void add_file(const std::filesystem::path& source, const std::filesystem::path& target);
  // A directory with all that is in it (or a single file).
  void add_tree(const std::filesystem::path& source, const std::filesystem::path& target);
  // A program, following links, with its shared libraries where its loader looks for them.
  void add_program(const std::filesystem::path& source, const std::filesystem::path& target);
  void add_program(const std::filesystem::path& source) { add_program(source, source); }

  bool has(const std::filesystem::path& target) const;
  const std::map<std::string, Entry>& entries() const { return entries_; }
  std::uint64_t total_bytes() const;
  // The sha256 of everything an image of this would hold, in hexadecimal.
  std::string digest() const;

 private:
  void add(const std::filesystem::path& target, Entry entry);

  std::map<std::string, Entry> entries_;  // sorted, so that an image is the same every time
};

}  // namespace twinbox::qemu
