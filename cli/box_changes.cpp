#include "cli/box_changes.hpp"

#include "base/error.hpp"
#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/stopped_box.hpp"

namespace twinbox::cli {

std::vector<sandbox::FileChange> changes_of(const supervise::BoxRecord& record) {
  if (!is_alive(record.state.status)) {
    const StoppedFiles files(record);
    return files.engine().list_changes(files.box());
  }
  return ask_box<std::vector<sandbox::FileChange>>(
      record, [](auto& client, auto answer) { client.list_changes(answer); });
}

std::uint64_t written_bytes(const supervise::BoxRecord& record) {
  try {
    std::uint64_t bytes = 0;
    for (const auto& change : changes_of(record)) bytes += change.size;
    return bytes;
  } catch (const base::Error& error) {
    // A machine's files are gone with it; a box that ends, or stands still, cannot say now.
    const bool has_none = error.kind() == base::ErrorKind::unsupported ||
                          error.kind() == base::ErrorKind::conflict ||
                          error.kind() == base::ErrorKind::not_found;
    if (!has_none) throw;
    return 0;
  }
}

}  // namespace twinbox::cli
