#include "image/tar_writer.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/syscall.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

class TarWriter {
 public:
  TarWriter(const fs::path& root, const Sink& sink)
      : root_(root), sink_(sink), archive_(::archive_write_new()) {
    auto* const handle = archive_.get();
    check_archive(handle, ::archive_write_set_format_pax_restricted(handle), "write a tar");
    check_archive(handle, ::archive_write_set_bytes_per_block(handle, 64 * 1024), "write a tar");
    check_archive(handle, ::archive_write_set_bytes_in_last_block(handle, 1), "write a tar");
    check(::archive_write_open(handle, this, nullptr, deliver, nullptr), root);
  }

  void write() {
    struct stat status {};
    if (::stat(root_.c_str(), &status) != 0) base::throw_errno("cannot read {}", root_.string());
    device_ = status.st_dev;
    add(root_, ".");
    check(::archive_write_close(archive_.get()), root_);
  }

 private:
  static la_ssize_t deliver(archive* handle, void* self, const void* bytes, std::size_t size) {
    auto* const writer = static_cast<TarWriter*>(self);
    try {
      writer->sink_({static_cast<const std::byte*>(bytes), size});
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      writer->failure_ = std::current_exception();
      ::archive_set_error(handle, EIO, "the sink failed");
      return -1;
    }
  }

  void check(int result, const fs::path& path) {
    if (result < ARCHIVE_WARN && failure_) std::rethrow_exception(failure_);
    check_archive(archive_.get(), result, "pack " + path.string());
  }

  void add(const fs::path& path, const std::string& name) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) base::throw_errno("cannot read {}", path.string());
    if (S_ISSOCK(status.st_mode)) return;
    add_entry(path, name, status);
    if (S_ISDIR(status.st_mode) && status.st_dev == device_) add_children(path, name);
  }

  void add_children(const fs::path& directory, const std::string& name) {
    std::vector<std::string> children;
    for (const auto& entry : fs::directory_iterator(directory)) {
      children.push_back(entry.path().filename());
    }
    std::ranges::sort(children);
    for (const auto& child : children) add(directory / child, name + "/" + child);
  }

  void add_entry(const fs::path& path, const std::string& name, const struct stat& status) {
    const EntryHandle entry(::archive_entry_new());
    describe(entry.get(), path, name, status);
    const bool has_data =
        S_ISREG(status.st_mode) && ::archive_entry_hardlink(entry.get()) == nullptr;
    if (!has_data) ::archive_entry_set_size(entry.get(), 0);
    check(::archive_write_header(archive_.get(), entry.get()), path);
    if (has_data) add_data(path, static_cast<std::uint64_t>(status.st_size));
  }

  void describe(archive_entry* entry, const fs::path& path, const std::string& name,
                const struct stat& status) {
    ::archive_entry_set_pathname(entry, name.c_str());
    ::archive_entry_copy_stat(entry, &status);
    ::archive_entry_set_mtime(entry, status.st_mtim.tv_sec, 0);
    ::archive_entry_unset_atime(entry);
    ::archive_entry_unset_ctime(entry);
    if (S_ISLNK(status.st_mode)) {
      ::archive_entry_set_symlink(entry, fs::read_symlink(path).c_str());
    } else if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      const auto [first, is_first] = links_.try_emplace({status.st_dev, status.st_ino}, name);
      if (!is_first) ::archive_entry_set_hardlink(entry, first->second.c_str());
    }
    add_attributes(entry, path);
  }

  static void add_attributes(archive_entry* entry, const fs::path& path) {
    std::array<char, 64 * 1024> names{};
    const auto size = ::llistxattr(path.c_str(), names.data(), names.size());
    if (size <= 0) return;  // none, or a file system without them
    const std::string_view list(names.data(), static_cast<std::size_t>(size));
    std::vector<std::string> sorted;
    for (std::size_t at = 0; at < list.size(); at += sorted.back().size() + 1) {
      sorted.emplace_back(list.data() + at);
    }
    std::ranges::sort(sorted);
    for (const auto& name : sorted) {
      std::array<char, 64 * 1024> value{};
      const auto length = is_image_attribute(name)
                              ? ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size())
                              : -1;
      if (length < 0) continue;
      ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(),
                                      static_cast<std::size_t>(length));
    }
  }

  // Exactly `size` bytes, as the header says: a file that grows meanwhile is cut, one that shrinks
  // is an error.
  void add_data(const fs::path& path, std::uint64_t size) {
    const auto fd = base::open_file(path, O_RDONLY | O_NOFOLLOW);
    std::vector<std::byte> buffer(128 * 1024);
    while (size > 0) {
      const auto wanted = std::span(buffer).first(std::min<std::uint64_t>(size, buffer.size()));
      const auto count = base::read_some(fd.get(), wanted).value_or(0);
      if (count == 0) {
        throw base::Error(base::ErrorKind::conflict,
                          fmt::format("{} shrank while it was packed", path.string()));
      }
      const auto written = ::archive_write_data(archive_.get(), buffer.data(), count);
      if (written < 0) check(static_cast<int>(written), path);
      size -= count;
    }
  }

  const fs::path& root_;
  const Sink& sink_;
  std::exception_ptr failure_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;
  dev_t device_ = 0;
  ArchiveHandle archive_;
};

}  // namespace

bool is_image_attribute(std::string_view name) {
  return name.starts_with("user.") || name == "security.capability";
}

void write_tar(const fs::path& directory, const Sink& sink) {
  const Utf8Names names;
  TarWriter(directory, sink).write();
}

}  // namespace twinbox::image
