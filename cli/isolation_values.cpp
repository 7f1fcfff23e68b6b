// Those of flag_values.hpp that say what a workload may have of its host.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "cli/flag_values.hpp"

namespace twinbox::cli {
namespace {

base::Error usage(std::string message, std::string hint) {
  return {base::ErrorKind::usage, std::move(message), std::move(hint)};
}

constexpr std::array<std::string_view, 15> limit_names{
    "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
    "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};

std::uint64_t limit_value(std::string_view text, const std::string& whole) {
  if (text == "unlimited" || text == "-1") return std::numeric_limits<std::uint64_t>::max();
  if (const auto value = base::parse_number<std::uint64_t>(text)) return *value;
  throw usage(fmt::format("--ulimit: '{}' has no number", whole),
              "for example: --ulimit nofile=1024:2048");
}

bool is_access(std::string_view text) {
  return !text.empty() && text.find_first_not_of("rwm") == std::string_view::npos;
}

// The same option, or its opposite, is there once: "exec" takes the place of "noexec".
void set_option(std::vector<std::string>& options, const std::string& option) {
  const auto opposite = option.starts_with("no") ? option.substr(2) : "no" + option;
  const auto key = option.substr(0, option.find('='));
  std::erase_if(options, [&](const std::string& other) {
    return other == opposite || other.substr(0, other.find('=')) == key ||
           (option == "rw" && other == "ro") || (option == "ro" && other == "rw");
  });
  options.push_back(option);
}

}  // namespace

sandbox::Rlimit resource_limit(const std::string& text) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  if (equals == std::string::npos || std::ranges::count(limit_names, name) == 0) {
    throw usage(fmt::format("--ulimit: '{}' names no limit", text),
                fmt::format("give one of {} as NAME=SOFT[:HARD]", fmt::join(limit_names, ", ")));
  }
  const auto value = text.substr(equals + 1);
  const auto colon = value.find(':');
  sandbox::Rlimit limit{.type = "RLIMIT_" + name,
                        .soft = limit_value(value.substr(0, colon), text)};
  limit.hard = colon == std::string::npos ? limit.soft : limit_value(value.substr(colon + 1), text);
  std::ranges::transform(limit.type, limit.type.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (limit.soft > limit.hard) {
    throw usage(fmt::format("--ulimit: in '{}' the soft limit is above the hard one", text),
                "give it as NAME=SOFT:HARD");
  }
  return limit;
}

sandbox::Mount temporary_file_system(const std::string& text) {
  const auto colon = text.find(':');
  sandbox::Mount mount{text.substr(0, colon), "tmpfs", "tmpfs", {"noexec", "nosuid", "nodev"}};
  if (mount.destination.size() < 2 || mount.destination.front() != '/') {
    throw usage(fmt::format("--tmpfs: '{}' does not begin with an absolute path", text),
                "for example: --tmpfs /run:size=64m");
  }
  if (colon == std::string::npos) return mount;
  for (const auto& option : base::split(text.substr(colon + 1), ',')) {
    if (option.starts_with("size=") && !option.ends_with('%')) {
      set_option(mount.options,
                 fmt::format("size={}", base::parse_size(option.substr(5), "--tmpfs")));
    } else {
      set_option(mount.options, option);
    }
  }
  return mount;
}

sandbox::Device host_device(const std::string& text) {
  const auto parts = base::split(text, ':');
  sandbox::Device device;
  struct stat status {};
  const bool there = !parts.empty() && parts.size() <= 3 && parts[0].starts_with('/');
  if (!there || ::stat(parts[0].c_str(), &status) != 0 ||
      (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))) {
    throw usage(fmt::format("--device: '{}' is no device of this host", text),
                "give it as /dev/NAME[:/dev/NAME_IN_THE_BOX][:rwm]");
  }
  device.path = parts[0];
  if (parts.size() > 1 && parts[1].starts_with('/')) device.path = parts[1];
  if (parts.size() > 1 && !parts.back().starts_with('/')) {
    device.access = parts.back();
    if (!is_access(device.access)) {
      throw usage(fmt::format("--device: '{}' ends in no access", text), "use some of r, w and m");
    }
  }
  device.type = S_ISBLK(status.st_mode) ? 'b' : 'c';
  device.major = ::major(status.st_rdev);
  device.minor = ::minor(status.st_rdev);
  device.file_mode = status.st_mode & 07777;
  device.uid = status.st_uid;
  device.gid = status.st_gid;
  return device;
}

}  // namespace twinbox::cli
