#include "qemu/lab/image.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::qemu {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t images_kept = 4;
constexpr std::string_view draft_suffix = ".draft";

base::Fd lock_cache(const fs::path& cache) {
  base::Fd lock = base::open_file(cache / "lock", O_RDWR | O_CREAT);
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) base::throw_errno("cannot lock {}", cache.string());
  }
  return lock;
}

class CpioWriter {
 public:
  explicit CpioWriter(const fs::path& path)
      : path_(path), archive_(archive_write_new(), archive_write_free) {
    archive_write_set_format_cpio_newc(archive_.get());
    archive_write_set_bytes_per_block(archive_.get(), 1 << 20);
    archive_write_set_bytes_in_last_block(archive_.get(), 1);
    check(archive_write_open_filename(archive_.get(), path.c_str()));
  }

  void add(const std::string& name, const LabContents::Entry& entry) {
    if (name == "/") return;  // is there anyway
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> header(archive_entry_new(),
                                                                               archive_entry_free);
    archive_entry_copy_pathname(header.get(), name.c_str() + 1);  // relative to the root
    archive_entry_set_mode(header.get(), entry.mode);
    archive_entry_set_uid(header.get(), entry.owner);
    archive_entry_set_gid(header.get(), entry.group);
    archive_entry_set_rdev(header.get(), entry.device);
    archive_entry_set_nlink(header.get(), 1);
    // The same times for all: an image depends on nothing but what it holds.
    archive_entry_set_mtime(header.get(), 0, 0);
    archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.size));
    if (S_ISLNK(entry.mode)) archive_entry_copy_symlink(header.get(), entry.text.c_str());
    check(archive_write_header(archive_.get(), header.get()));
    if (!entry.source.empty()) {
      copy_file(entry);
    } else if (S_ISREG(entry.mode)) {
      write(std::as_bytes(std::span(entry.text)));
    }
  }

  void finish() { check(archive_write_close(archive_.get())); }

 private:
  void copy_file(const LabContents::Entry& entry) {
    const base::Fd fd = base::open_file(entry.source, O_RDONLY);
    std::vector<std::byte> buffer(1 << 20);
    std::uint64_t copied = 0;
    while (const auto count = base::read_some(fd.get(), buffer).value_or(0)) {
      write(std::span(buffer).first(count));
      copied += count;
    }
    if (copied != entry.size) {
      throw base::Error(base::ErrorKind::conflict,
                        fmt::format("{} changed while it was copied", entry.source.string()),
                        "try again");
    }
  }
  void write(std::span<const std::byte> bytes) {
    if (archive_write_data(archive_.get(), bytes.data(), bytes.size()) < 0) check(ARCHIVE_FATAL);
  }
  void check(int result) {
    if (result >= ARCHIVE_WARN) return;
    const std::string what = fmt::format("cannot write the lab's image {}", path_.string());
    // libarchive's own mistakes have negative numbers, and then a text that says something.
    if (const int code = archive_errno(archive_.get()); code > 0) {
      throw base::system_error(
          code, what,
          base::is_out_of_room(code) ? "the disk is full; TWINBOX_ROOT may name another" : "");
    }
    throw base::Error(base::ErrorKind::system,
                      fmt::format("{}: {}", what, archive_error_string(archive_.get())));
  }

  fs::path path_;
  std::unique_ptr<archive, decltype(&archive_write_free)> archive_;
};

void write_image(const LabContents& contents, const std::string& digest, const fs::path& path) {
  const fs::path draft = path.string() + std::string(draft_suffix);
  try {
    CpioWriter writer(draft);
    for (const auto& [name, entry] : contents.entries()) writer.add(name, entry);
    writer.finish();
    // Or what was copied meanwhile would be taken for what has the digest, for ever.
    if (contents.digest() != digest) {
      throw base::Error(base::ErrorKind::conflict,
                        "what the lab is given changed while it was copied", "try again");
    }
    fs::rename(draft, path);
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
}

void remove_old_images(const fs::path& cache) {
  std::vector<std::pair<fs::file_time_type, fs::path>> images;
  for (const auto& file : fs::directory_iterator(cache)) {
    if (file.path().extension() == ".cpio")
      images.emplace_back(file.last_write_time(), file.path());
  }
  std::ranges::sort(images, std::greater{});
  for (std::size_t index = images_kept; index < images.size(); ++index) {
    std::error_code ignored;
    fs::remove(images[index].second, ignored);
  }
}

}  // namespace

LabImage lab_image(const LabContents& contents, const fs::path& cache) {
  base::make_directories(cache);
  const std::string digest = contents.digest();
  const fs::path path = cache / (digest + ".cpio");
  const base::Fd lock = lock_cache(cache);
  if (fs::exists(path)) {
    fs::last_write_time(path, fs::file_time_type::clock::now());
  } else {
    write_image(contents, digest, path);
  }
  remove_old_images(cache);
  return {path, digest, fs::file_size(path)};
}

void clean_up_lab_images(const fs::path& cache) {
  if (!fs::exists(cache)) return;
  const base::Fd lock = base::open_file(cache / "lock", O_RDWR | O_CREAT);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;  // somebody is at work there
  for (const auto& file : fs::directory_iterator(cache)) {
    std::error_code ignored;
    if (file.path().extension() == draft_suffix) fs::remove(file.path(), ignored);
  }
}

}  // namespace twinbox::qemu
