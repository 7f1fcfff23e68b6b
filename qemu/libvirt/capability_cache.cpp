#include "qemu/libvirt/capability_cache.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::qemu::libvirt {
namespace {

namespace fs = std::filesystem;

fs::path kept() { return sandbox::data_root() / "cache/libvirt"; }

fs::path used_by(const fs::path& driver_directory) {
  return driver_directory / "cache/qemu/capabilities";
}

bool same_content(const fs::path& one, const fs::path& other) {
  return fs::exists(other) && base::read_file(one) == base::read_file(other);
}

bool is_capability_file(const fs::path& path) { return path.extension() == ".xml"; }

}  // namespace

void provide_capabilities(const fs::path& driver_directory) {
  const auto target = used_by(driver_directory);
  base::make_directories(target);
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(kept(), missing)) {
    if (!is_capability_file(entry.path())) continue;
    base::write_file(target / entry.path().filename(), base::read_file(entry.path()));
  }
}

void keep_capabilities(const fs::path& driver_directory) {
  try {
    base::make_directories(kept());
    for (const auto& entry : fs::directory_iterator(used_by(driver_directory))) {
      const auto target = kept() / entry.path().filename();
      if (!is_capability_file(entry.path()) || same_content(entry.path(), target)) continue;
      base::write_file_atomic(target, base::read_file(entry.path()));
    }
  } catch (const std::exception& error) {
    base::log(base::LogLevel::warning, "cannot keep what libvirt knows of QEMU: {}", error.what());
  }
}

}  // namespace twinbox::qemu::libvirt
