#include "compare/page_cache.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::compare {

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

}  // namespace twinbox::compare
