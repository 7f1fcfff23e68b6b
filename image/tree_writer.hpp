// Makes files below a directory that none of the names given to it can leave.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::image {

// What a file is beside its content.
struct FileAttributes {
  mode_t mode = 0644;  // permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  timespec modified{};
  std::vector<std::pair<std::string, std::string>> extended;
};

// What the writer does where something else is in a name's way.
struct TreeRules {
  // A directory where a file is to be.
  enum class Directories { replaced, kept } directories = Directories::replaced;
  // A symbolic link on the way to a name. Refused where an archive that brings one itself is not to
  // reach what else is in the root.
  enum class Links { within_root, refused } links = Links::within_root;
  // Mode, owner and times of the root itself, which an archive may have an entry for.
  enum class Root { as_archived, kept } root = Root::as_archived;
};

// Every name is relative to the root, as it came from an archive: an absolute one or one with ".."
// is refused, and symbolic links met on the way are resolved as if the root were "/" (openat2,
// RESOLVE_IN_ROOT). Missing parents are made; what a name stands for already is replaced. Others
// may work in the root meanwhile: they cannot lead the writer out of it.
class TreeWriter {
 public:
  explicit TreeWriter(const std::filesystem::path& root, TreeRules rules = {});

  void directory(const std::string& name, FileAttributes attributes);
  // An empty file to be filled through the descriptor, then given its attributes.
  base::Fd open_file(const std::string& name);
  void close_file(const base::Fd& file, const FileAttributes& attributes);
  void symbolic_link(const std::string& name, const std::string& target,
                     const FileAttributes& attributes);
  void hard_link(const std::string& name, const std::string& target);
  // A FIFO or a device; `type` is S_IFIFO, S_IFCHR or S_IFBLK.
  void node(const std::string& name, mode_t type, dev_t device, const FileAttributes& attributes);
  // overlayfs' marks: `name` is absent although a lower layer has it; a directory hides all that
  // lower layers have in it.
  void whiteout(const std::string& name);
  void opaque(const std::string& directory);
  // Gives directories their attributes, which making files in them would have changed.
  void finish();

 private:
  struct Place {
    base::Fd parent;
    std::string base;
  };
  Place place(const std::string& name);
  // A place where nothing is (any more).
  Place free_place(const std::string& name);
  base::Fd parent_directory(const std::vector<std::string>& components);
  base::Fd resolve(const std::string& name, int flags) const;

  base::Fd root_;
  TreeRules rules_;
  std::map<std::string, FileAttributes> directories_;
};

// The components of a name below the root, "." and empty ones left out. Throws base::Error on an
// absolute name and on "..".
std::vector<std::string> safe_components(std::string_view name);

}  // namespace twinbox::image
