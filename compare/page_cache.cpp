#include "compare/page_cache.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::compare {

namespace fs = std::filesystem;

void drop_page_cache() {
  ::sync();  // what is not written yet stays
  try {
    const auto file = base::open_file("/proc/sys/vm/drop_caches", O_WRONLY);
    base::write_all(file.get(), "3\n");  // files' pages, and what names them
  } catch (const base::Error& error) {
    throw base::Error(error.kind(),
                      fmt::format("the host's page cache cannot be dropped: {}", error.message()),
                      "measure as root, or with a warm page cache");
  }
}

void check_is_on_storage(const fs::path& place) {
  struct statfs system {};
  if (::statfs(place.c_str(), &system) != 0) return;  // what misses it says so
  if (system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC) return;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{} is in memory: no page cache of it can be cold", place.string()),
                    "measure with a warm page cache, or where it is on a disk");
}

fs::path copy_programs(const fs::path& directory) {
  base::make_directories(directory);
  for (const auto* const name : {"twinbox", "twinbox-vmm", "twinbox-agent", "twinbox-qemu"}) {
    fs::copy_file(sandbox::program_path(name), directory / name);
  }
  return directory / "twinbox";
}

}  // namespace twinbox::compare
