#include "image/tar_writer.hpp"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/syscall.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

// Opened without following a link: whoever owns the tree may change it meanwhile. Nothing where its
// content is not to be read.
base::Fd open_content(int parent, const std::string& base, const std::string& name,
                      struct stat& status) {
  const auto type = status.st_mode & S_IFMT;
  if (type != S_IFDIR && type != S_IFREG) return {};
  auto file = base::open_at(
      parent, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (type == S_IFDIR ? O_DIRECTORY : 0));
  if (::fstat(file.get(), &status) != 0) base::throw_errno("cannot read {}", name);
  if ((status.st_mode & S_IFMT) != type) {
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("{} was replaced while it was packed", name));
  }
  return file;
}

std::vector<std::string> sorted_children(int directory, const std::string& name) {
  auto own = base::open_at(directory, ".", O_RDONLY | O_DIRECTORY);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), ::closedir);
  if (!stream) base::throw_errno("cannot list {}", name);
  own.release();
  std::vector<std::string> children;
  errno = 0;
  while (const auto* entry = ::readdir(stream.get())) {
    const std::string child = entry->d_name;
    if (child != "." && child != "..") children.push_back(child);
  }
  if (errno != 0) base::throw_errno("cannot list {}", name);
  std::ranges::sort(children);
  return children;
}

std::string link_target(int parent, const std::string& base, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const auto size = ::readlinkat(parent, base.c_str(), target.data(), target.size());
  if (size < 0) base::throw_errno("cannot read the link {}", name);
  return {target.data(), static_cast<std::size_t>(size)};
}

void add_attributes(archive_entry* entry, int file) {
  std::array<char, 64 * 1024> names{};
  const auto size = ::flistxattr(file, names.data(), names.size());
  if (size <= 0) return;  // none, or a file system without them
  const std::string_view list(names.data(), static_cast<std::size_t>(size));
  std::vector<std::string> sorted;
  for (std::size_t at = 0; at < list.size(); at += sorted.back().size() + 1) {
    sorted.emplace_back(list.data() + at);
  }
  std::ranges::sort(sorted);
  for (const auto& name : sorted) {
    std::array<char, 64 * 1024> value{};
    const auto length =
        is_image_attribute(name) ? ::fgetxattr(file, name.c_str(), value.data(), value.size()) : -1;
    if (length < 0) continue;
    ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(),
                                    static_cast<std::size_t>(length));
  }
}

class TarWriter {
 public:
  explicit TarWriter(const Sink& sink) : sink_(sink), archive_(::archive_write_new()) {
    auto* const handle = archive_.get();
    check_archive(handle, ::archive_write_set_format_pax_restricted(handle), "write a tar");
    check_archive(handle, ::archive_write_set_bytes_per_block(handle, 64 * 1024), "write a tar");
    check_archive(handle, ::archive_write_set_bytes_in_last_block(handle, 1), "write a tar");
    check(::archive_write_open(handle, this, nullptr, deliver, nullptr), "it");
  }

  void write(int parent, const std::string& base, const std::string& name) {
    add(parent, base, name);
    check(::archive_write_close(archive_.get()), name);
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

  void check(int result, const std::string& name) {
    if (result < ARCHIVE_WARN && failure_) std::rethrow_exception(failure_);
    check_archive(archive_.get(), result, "pack " + name);
  }

  void add(int parent, const std::string& base, const std::string& name) {
    struct stat status {};
    if (::fstatat(parent, base.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      base::throw_errno("cannot read {}", name);
    }
    if (S_ISSOCK(status.st_mode)) return;
    const auto content = open_content(parent, base, name, status);
    if (!device_) device_ = status.st_dev;
    add_entry(parent, base, name, status, content.get());
    if (!S_ISDIR(status.st_mode) || status.st_dev != device_) return;
    for (const auto& child : sorted_children(content.get(), name)) {
      add(content.get(), child, name + "/" + child);
    }
  }

  void add_entry(int parent, const std::string& base, const std::string& name,
                 const struct stat& status, int content) {
    const EntryHandle entry(::archive_entry_new());
    describe(entry.get(), name, status);
    if (S_ISLNK(status.st_mode)) {
      ::archive_entry_set_symlink(entry.get(), link_target(parent, base, name).c_str());
    }
    if (content >= 0) add_attributes(entry.get(), content);
    const bool has_data =
        S_ISREG(status.st_mode) && ::archive_entry_hardlink(entry.get()) == nullptr;
    if (!has_data) ::archive_entry_set_size(entry.get(), 0);
    check(::archive_write_header(archive_.get(), entry.get()), name);
    if (has_data) add_data(content, name, static_cast<std::uint64_t>(status.st_size));
  }

  void describe(archive_entry* entry, const std::string& name, const struct stat& status) {
    ::archive_entry_set_pathname(entry, name.c_str());
    ::archive_entry_copy_stat(entry, &status);
    ::archive_entry_set_mtime(entry, status.st_mtim.tv_sec, 0);
    ::archive_entry_unset_atime(entry);
    ::archive_entry_unset_ctime(entry);
    if (S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode) || status.st_nlink < 2) return;
    const auto [first, is_first] = links_.try_emplace({status.st_dev, status.st_ino}, name);
    if (!is_first) ::archive_entry_set_hardlink(entry, first->second.c_str());
  }

  // Exactly `size` bytes, as the header says: a file that grows meanwhile is cut, one that shrinks
  // is an error.
  void add_data(int file, const std::string& name, std::uint64_t size) {
    std::vector<std::byte> buffer(128 * 1024);
    while (size > 0) {
      const auto wanted = std::span(buffer).first(std::min<std::uint64_t>(size, buffer.size()));
      const auto count = base::read_some(file, wanted).value_or(0);
      if (count == 0) {
        throw base::Error(base::ErrorKind::conflict,
                          fmt::format("{} shrank while it was packed", name));
      }
      const auto written = ::archive_write_data(archive_.get(), buffer.data(), count);
      if (written < 0) check(static_cast<int>(written), name);
      size -= count;
    }
  }

  const Sink& sink_;
  std::exception_ptr failure_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;
  std::optional<dev_t> device_;  // of what was packed first
  ArchiveHandle archive_;
};

}  // namespace

bool is_image_attribute(std::string_view name) {
  return name.starts_with("user.") || name == "security.capability";
}

void write_tar(const fs::path& directory, const Sink& sink) {
  write_tar(base::open_file(directory, O_RDONLY | O_DIRECTORY).get(), ".", ".", sink);
}

void write_tar(int parent, const std::string& base, const std::string& name, const Sink& sink) {
  const Utf8Names names;
  TarWriter(sink).write(parent, base, name);
}

}  // namespace twinbox::image
