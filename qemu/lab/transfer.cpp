#include "qemu/lab/transfer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::qemu {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(archive* archive, const fs::path& directory) {
  const char* reason = archive_error_string(archive);
  throw base::Error(base::ErrorKind::system,
                    fmt::format("cannot bring the lab's files to {}: {}", directory.string(),
                                reason != nullptr ? reason : "the archive is damaged"));
}

void copy_data(archive* from, archive* to, const fs::path& directory) {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  for (;;) {
    const int result = archive_read_data_block(from, &block, &size, &offset);
    if (result == ARCHIVE_EOF) return;
    if (result < ARCHIVE_OK) fail(from, directory);
    if (archive_write_data_block(to, block, size, offset) < ARCHIVE_OK) fail(to, directory);
  }
}

// The entry's place below `directory`; an empty one for the directory itself.
std::string placed(const char* name, const fs::path& directory) {
  const fs::path relative = fs::path(name != nullptr ? name : "").lexically_normal();
  if (relative.empty() || relative == "." || relative == "./") return {};
  if (relative.is_absolute() || *relative.begin() == "..") {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("the lab sent a file for outside of {}: {}", directory.string(),
                                  relative.string()));
  }
  return (directory / relative).string();
}

}  // namespace

void extract_archive(int descriptor, const fs::path& directory) {
  base::make_directories(directory);
  if (::lseek(descriptor, 0, SEEK_SET) < 0) base::throw_errno("cannot rewind the lab's files");
  const fs::path root = fs::canonical(directory);  // the flags below refuse any link on the way
  const std::unique_ptr<archive, decltype(&archive_read_free)> from(archive_read_new(),
                                                                    archive_read_free);
  const std::unique_ptr<archive, decltype(&archive_write_free)> to(archive_write_disk_new(),
                                                                   archive_write_free);
  archive_read_support_format_tar(from.get());
  archive_write_disk_set_options(to.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM |
                                               ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                               ARCHIVE_EXTRACT_SECURE_NODOTDOT);
  if (archive_read_open_fd(from.get(), descriptor, 65536) != ARCHIVE_OK) fail(from.get(), root);
  archive_entry* entry = nullptr;
  for (;;) {
    const int result = archive_read_next_header(from.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result < ARCHIVE_WARN) fail(from.get(), root);
    const std::string path = placed(archive_entry_pathname(entry), root);
    if (path.empty()) continue;
    archive_entry_copy_pathname(entry, path.c_str());
    if (const char* link = archive_entry_hardlink(entry)) {
      archive_entry_copy_hardlink(entry, placed(link, root).c_str());
    }
    if (archive_write_header(to.get(), entry) < ARCHIVE_WARN) fail(to.get(), root);
    copy_data(from.get(), to.get(), root);
    if (archive_write_finish_entry(to.get()) < ARCHIVE_WARN) fail(to.get(), root);
  }
}

}  // namespace twinbox::qemu
