#include "vmm/snapshot/working_set.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"
#include "vmm/snapshot/format.hpp"

namespace twinbox::vmm::snapshot {

std::string to_text(const std::vector<PageRange>& pages) {
  std::string text;
  for (const auto& range : pages) text += fmt::format("{} {}\n", range.host_offset, range.size);
  return text;
}

std::vector<PageRange> pages_from_text(std::string_view text) {
  std::vector<PageRange> pages;
  for (const auto& line : base::split(text, '\n')) {
    const auto words = base::words(line);
    if (words.size() != 2) continue;
    const auto offset = base::parse_number<std::uint64_t>(words[0]);
    const auto size = base::parse_number<std::uint64_t>(words[1]);
    if (!offset || !size || (*offset | *size) % GuestMemory::page_size != 0) continue;
    pages.push_back({.host_offset = *offset, .size = *size});
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
  for (const auto& range : pages_from_text(base::read_to_end(file.get()))) {
    memory.make_own(range);
  }
}

}  // namespace twinbox::vmm::snapshot
