#include "vmm/snapshot/working_set.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "vmm/snapshot/format.hpp"

namespace twinbox::vmm::snapshot {

std::string to_text(const std::vector<PageRange>& pages) {
  std::string text;
  for (const auto& range : pages) text += fmt::format("{} {}\n", range.host_offset, range.size);
  return text;
}

// Read at every start, and so without a string for each word.
std::vector<PageRange> pages_from_text(std::string_view text) {
  std::vector<PageRange> pages;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const char* const end = line.data() + line.size();
    PageRange range;
    const auto offset = std::from_chars(line.data(), end, range.host_offset);
    if (offset.ec != std::errc() || offset.ptr == end || *offset.ptr != ' ') continue;
    const auto size = std::from_chars(offset.ptr + 1, end, range.size);
    const bool whole = (range.host_offset | range.size) % GuestMemory::page_size == 0;
    if (size.ec == std::errc() && size.ptr == end && whole) pages.push_back(range);
  }
  return pages;
}

bool lacks_working_set(const std::string& snapshot) {
  return !snapshot.empty() && ::access((snapshot + working_set_suffix).c_str(), F_OK) != 0;
}

void record_working_set(const GuestMemory& memory, const std::string& snapshot) {
  try {
    base::write_file_atomic(snapshot + working_set_suffix, to_text(memory.own_pages()));
  } catch (const base::Error& error) {
    // Another machine may note its own, or the snapshot may have been removed meanwhile.
    base::log(base::LogLevel::debug, "cannot note a working set: {}", error.what());
  }
}

void prefetch_working_set(const GuestMemory& memory, const std::string& snapshot) {
  const base::Fd file(::open((snapshot + working_set_suffix).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return;
  memory.make_own(pages_from_text(base::read_to_end(file.get())));
}

}  // namespace twinbox::vmm::snapshot
