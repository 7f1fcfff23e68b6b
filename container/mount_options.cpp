#include "container/mount_options.hpp"

#include <sys/mount.h>

#include <string_view>
#include <unordered_map>

namespace twinbox::container {
namespace {

struct Effect {
  std::uint64_t set = 0;
  std::uint64_t clear = 0;
};

const std::unordered_map<std::string_view, Effect>& attribute_options() {
  static const std::unordered_map<std::string_view, Effect> effects{
      {"ro", {MOUNT_ATTR_RDONLY, 0}},
      {"rw", {0, MOUNT_ATTR_RDONLY}},
      {"nosuid", {MOUNT_ATTR_NOSUID, 0}},
      {"suid", {0, MOUNT_ATTR_NOSUID}},
      {"nodev", {MOUNT_ATTR_NODEV, 0}},
      {"dev", {0, MOUNT_ATTR_NODEV}},
      {"noexec", {MOUNT_ATTR_NOEXEC, 0}},
      {"exec", {0, MOUNT_ATTR_NOEXEC}},
      {"noatime", {MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME}},
      {"strictatime", {MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME}},
      {"relatime", {MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME}},
      {"nodiratime", {MOUNT_ATTR_NODIRATIME, 0}},
      {"nosymfollow", {MOUNT_ATTR_NOSYMFOLLOW, 0}},
      // Every mount of a box is private to it already.
      {"private", {}},
      {"rprivate", {}},
      {"slave", {}},
      {"rslave", {}},
      {"defaults", {}},
  };
  return effects;
}

}  // namespace

MountOptions parse_mount_options(const std::vector<std::string>& options) {
  MountOptions result;
  for (const auto& option : options) {
    if (const auto found = attribute_options().find(option); found != attribute_options().end()) {
      const auto [set, clear] = found->second;
      // The last word counts.
      result.set = (result.set & ~clear) | set;
      result.clear = (result.clear & ~set) | clear;
    } else if (option == "bind" || option == "rbind") {
      result.bind = true;
      result.recursive = option == "rbind";
    } else {
      const auto equals = option.find('=');
      result.data.emplace_back(option.substr(0, equals), equals == std::string::npos
                                                             ? std::string()
                                                             : option.substr(equals + 1));
    }
  }
  return result;
}

}  // namespace twinbox::container
