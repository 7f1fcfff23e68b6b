#include "tests/support/leftovers.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

bool contains(const fs::path& file, const fs::path& what) {
  return text_of(file).find(what.string()) != std::string::npos;
}

}  // namespace

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::set<std::string> Leftovers::store() const {
  std::set<std::string> found;
  std::error_code gone;  // whoever is being killed may still be at it
  for (auto walk = fs::recursive_directory_iterator(root_, gone); !gone && walk != fs::end(walk);
       walk.increment(gone)) {
    if (walk.depth() == 0 && walk->path().filename() == "cache") {  // made again when missing
      walk.disable_recursion_pending();
      continue;
    }
    if (walk.depth() >= 1 && walk->path().parent_path().filename() == "layers") {
      walk.disable_recursion_pending();
    }
    found.insert(walk->path());
  }
  return found;
}

bool Leftovers::is_ours(pid_t process) const {
  const auto directory = fs::path("/proc") / std::to_string(process);
  return contains(directory / "environ", root_) || contains(directory / "mountinfo", root_);
}

std::vector<std::string> Leftovers::processes() const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (pid != ::getpid() && is_ours(pid)) {
      auto line = text_of(entry.path() / "cmdline");
      std::ranges::replace(line, '\0', ' ');
      found.push_back(name + " " + line);
    }
  }
  return found;
}

std::vector<std::string> Leftovers::control_groups(const std::vector<std::string>& ids) {
  std::vector<std::string> found;
  std::error_code gone;
  for (auto walk = fs::recursive_directory_iterator(
           "/sys/fs/cgroup", fs::directory_options::skip_permission_denied, gone);
       walk != fs::end(walk); walk.increment(gone)) {
    const auto name = walk->path().filename().string();
    const auto is_of = [&](const std::string& id) { return name.find(id) != std::string::npos; };
    if (std::ranges::any_of(ids, is_of)) found.push_back(walk->path());
  }
  return found;
}

bool Leftovers::mounted() const { return contains("/proc/self/mountinfo", root_); }

}  // namespace twinbox::testing
