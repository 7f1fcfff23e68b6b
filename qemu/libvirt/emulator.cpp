#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "base/command.hpp"
#include "qemu/libvirt/library.hpp"

namespace twinbox::qemu::libvirt {
namespace {

namespace fs = std::filesystem;

constexpr const char* emulator_name = "qemu-system-x86_64";

}  // namespace

void fail_missing(const std::string& what, std::string_view package) {
  throw base::Error(
      base::ErrorKind::unsupported, fmt::format("the engine qemu needs {}", what),
      fmt::format("install the package {0}: apt-get install --no-install-recommends {0}", package));
}

fs::path emulator() {
  const char* const path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    const auto candidate = fs::path(directory) / emulator_name;
    if (candidate.is_absolute() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  fail_missing(fmt::format("{}, which is not in PATH", emulator_name), "qemu-system-x86");
}

std::string emulator_version() {
  constexpr std::string_view before = "version ";
  const auto said = base::run_command({emulator().string(), "--version"}).out;
  const auto at = said.find(before);
  if (at == std::string::npos) return "unknown";
  const auto begin = at + before.size();
  return said.substr(begin, said.find_first_of(" \n", begin) - begin);
}

std::string library_version() {
  unsigned long version = 0;  // of 9.0.1: 9000001
  if (library().virGetVersion(&version, nullptr, nullptr) != 0) return "unknown";
  return fmt::format("{}.{}.{}", version / 1'000'000, version / 1'000 % 1'000, version % 1'000);
}

void throw_libvirt_error(std::string_view attempted) {
  throw base::Error(base::ErrorKind::system,
                    fmt::format("{}: {}", attempted, library().virGetLastErrorMessage()));
}

}  // namespace twinbox::qemu::libvirt
