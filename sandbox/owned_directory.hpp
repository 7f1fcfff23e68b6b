// A directory that belongs to one process: removed with its owner, or swept after its death.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace twinbox::sandbox {

// Of the name of a directory that was given up and is being removed.
inline constexpr std::string_view gone_suffix = ".gone";

// Owns a directory by holding a record lock on the file `lock` in it. Such a lock belongs to the
// process alone: the kernel drops it with the process, and a child that outlives it, such as a box
// whose owner was killed, does not keep it. In a forked child this object does nothing.
//
//   auto draft = OwnedDirectory::create(data_root() / "work");
//   write_file(draft.path() / "layer", bytes);
//   rename(draft.path() / "layer", final_place);
//   // removed here with all that is still in it; after a SIGKILL the next sweep_ownerless() does
//   it
class OwnedDirectory {
 public:
  // Makes PARENT/<12 random hexadecimal digits>, and PARENT where it is missing. Throws base::Error
  // naming the path that cannot be written.
  static OwnedDirectory create(const std::filesystem::path& parent);
  // Takes hold of one that is there; nullopt when another process has it, this one has, or it is
  // gone. Throws base::Error where the directory cannot be locked at all.
  static std::optional<OwnedDirectory> take(const std::filesystem::path& path);
  OwnedDirectory(OwnedDirectory&&) = default;
  OwnedDirectory& operator=(OwnedDirectory&&) = delete;
  // A failure to remove is logged; the next sweep tries again.
  ~OwnedDirectory();

  // Lets go of it without removing it.
  void release();
  // Takes it away from its place at once, as one step for everybody else; what is in it is removed
  // with this object, or by the next sweep. Throws base::Error naming the path.
  void give_up();

  const std::filesystem::path& path() const { return path_; }
  std::string name() const { return path_.filename(); }

 private:
  OwnedDirectory(std::filesystem::path path, base::Fd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  base::Fd lock_;
};

// The process that owns the directory at `path`, if it is there and another process does.
std::optional<pid_t> owner_of(const std::filesystem::path& path);

// Removes each directory of PARENT that has no owner, after `undo` has undone what it stands for.
// One that `undo` throws for stays, with a warning, for the next sweep. Any number of processes may
// sweep and create at once.
void sweep_ownerless(const std::filesystem::path& parent,
                     const std::function<void(const std::filesystem::path&)>& undo = {});

}  // namespace twinbox::sandbox
