#include "sandbox/paths.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include "base/error.hpp"

namespace twinbox::sandbox {

namespace fs = std::filesystem;

namespace {

fs::path from_environment(const char* name, const char* fallback) {
  const char* const wanted = std::getenv(name);
  return wanted != nullptr && *wanted != '\0' ? wanted : fallback;
}

}  // namespace

fs::path data_root() { return from_environment("TWINBOX_ROOT", "/var/lib/twinbox"); }

fs::path boxes_directory() { return data_root() / "boxes"; }

fs::path run_root() { return from_environment("TWINBOX_RUN", "/run/twinbox"); }

fs::path program_path(std::string_view name) {
  const char* const wanted = std::getenv("TWINBOX_BIN");
  static const fs::path own = fs::read_symlink("/proc/self/exe").parent_path();
  const std::array<fs::path, 4> places{wanted != nullptr ? fs::path(wanted) : own, own,
                                       own.parent_path() / "bin",
                                       own.parent_path() / "libexec/twinbox"};
  for (const auto& place : places) {
    if (fs::exists(place / name)) return place / name;
  }
  throw base::Error(base::ErrorKind::not_found,
                    fmt::format("the program {} is not beside {}", name, own.string()),
                    "build all of twinbox, or set TWINBOX_BIN to the directory it is in");
}

}  // namespace twinbox::sandbox
