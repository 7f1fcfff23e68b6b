#include "image/unpack.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "image/archive.hpp"
#include "image/tar_writer.hpp"

namespace twinbox::image {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view opaque_marker = ".wh..wh..opq";
constexpr std::string_view marker_prefix = ".wh..wh.";  // aufs' other bookkeeping

std::pair<std::string, std::string> split(const std::string& name) {
  const auto slash = name.rfind('/');
  if (slash == std::string::npos) return {"", name};
  return {name.substr(0, slash + 1), name.substr(slash + 1)};
}

// Linux takes no longer value (XATTR_SIZE_MAX).
constexpr std::size_t longest_attribute = 64 * base::kibibyte;

void check_attribute(const char* name, std::size_t size) {
  if (size <= longest_attribute) return;
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("the attribute {} is longer than {}", name,
                                base::format_size(longest_attribute)));
}

FileAttributes attributes_of(archive_entry* entry) {
  FileAttributes attributes{
      .mode = static_cast<mode_t>(::archive_entry_perm(entry)),
      .uid = static_cast<uid_t>(::archive_entry_uid(entry)),
      .gid = static_cast<gid_t>(::archive_entry_gid(entry)),
      .modified = {::archive_entry_mtime(entry), ::archive_entry_mtime_nsec(entry)},
      .extended = {}};
  ::archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    // Anything else, above all trusted.overlay.*, would speak to this host's kernel.
    if (is_image_attribute(name)) {
      check_attribute(name, size);
      attributes.extended.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
  }
  return attributes;
}

class Unpacker {
 public:
  Unpacker(const Source& source, const std::filesystem::path& root, const UnpackOptions& options)
      : source_(source),
        options_(options),
        tree_(root, options.tree),
        archive_(::archive_read_new()) {
    ::archive_read_support_format_tar(archive_.get());
    ::archive_read_support_format_empty(archive_.get());
    check(::archive_read_open(archive_.get(), this, nullptr, pull, nullptr));
  }

  void run() {
    archive_entry* entry = nullptr;
    for (;;) {
      const int result = ::archive_read_next_header(archive_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      check(result);
      if (++entries_ > options_.max_entries) {
        throw base::Error(
            base::ErrorKind::unsupported,
            fmt::format("the archive has more than {} entries", options_.max_entries));
      }
      unpack(entry);
    }
    tree_.finish();
  }

 private:
  static la_ssize_t pull(archive* handle, void* self, const void** bytes) {
    auto* const unpacker = static_cast<Unpacker*>(self);
    try {
      const auto next = unpacker->source_();
      *bytes = next.data();
      return static_cast<la_ssize_t>(next.size());
    } catch (...) {
      unpacker->failure_ = std::current_exception();
      ::archive_set_error(handle, EIO, "the source failed");
      return -1;
    }
  }

  void check(int result) {
    if (result < ARCHIVE_WARN && failure_) std::rethrow_exception(failure_);
    check_archive(archive_.get(), result, "read the archive");
  }

  void unpack(archive_entry* entry) {
    const char* const raw_name = ::archive_entry_pathname(entry);
    if (raw_name == nullptr) {
      throw base::Error(base::ErrorKind::usage, "an entry of the archive has no readable name");
    }
    const std::string name = raw_name;
    if (options_.whiteouts != UnpackOptions::Whiteouts::literal &&
        split(name).second.starts_with(whiteout_prefix)) {
      return mark(name);
    }
    if (const char* const target = ::archive_entry_hardlink(entry)) {
      return tree_.hard_link(name, target);
    }
    make(entry, name);
  }

  void mark(const std::string& name) {
    const auto [directory, base] = split(name);
    if (options_.whiteouts == UnpackOptions::Whiteouts::drop) return;
    if (base == opaque_marker) return tree_.opaque(directory.empty() ? "." : directory);
    if (base.starts_with(marker_prefix)) return;
    tree_.whiteout(directory + base.substr(whiteout_prefix.size()));
  }

  void make(archive_entry* entry, const std::string& name) {
    const auto attributes = attributes_of(entry);
    reserve_memory(name, attributes);
    switch (::archive_entry_filetype(entry)) {
      case AE_IFDIR:
        return tree_.directory(name, attributes);
      case AE_IFLNK:
        return make_symbolic_link(entry, name, attributes);
      case AE_IFIFO:
        return tree_.node(name, S_IFIFO, 0, attributes);
      case AE_IFCHR:
        return make_device(entry, name, S_IFCHR, attributes);
      case AE_IFBLK:
        return make_device(entry, name, S_IFBLK, attributes);
      case AE_IFSOCK:
        return;  // dead without the process that bound it
      default:
        return make_file(entry, name, attributes);
    }
  }

  void make_symbolic_link(archive_entry* entry, const std::string& name,
                          const FileAttributes& attributes) {
    const char* const target = ::archive_entry_symlink(entry);
    if (target == nullptr) {
      throw base::Error(base::ErrorKind::usage,
                        fmt::format("the link '{}' has no readable target", name));
    }
    tree_.symbolic_link(name, target, attributes);
  }

  void make_device(archive_entry* entry, const std::string& name, mode_t type,
                   const FileAttributes& attributes) {
    if (::geteuid() != 0) {
      throw base::Error(base::ErrorKind::unsupported,
                        fmt::format("'{}' is a device, which only root may make", name),
                        "run twinbox as root");
    }
    tree_.node(name, type, ::archive_entry_rdev(entry), attributes);
  }

  void make_file(archive_entry* entry, const std::string& name, const FileAttributes& attributes) {
    reserve(static_cast<std::uint64_t>(::archive_entry_size(entry)));
    const auto file = tree_.open_file(name);
    fill(file.get(), name, static_cast<std::uint64_t>(::archive_entry_size(entry)));
    if (::ftruncate(file.get(), ::archive_entry_size(entry)) != 0) {
      base::throw_errno("cannot size {}", name);
    }
    tree_.close_file(file, attributes);
  }

  void reserve_memory(const std::string& name, const FileAttributes& attributes) {
    attribute_bytes_ += name.size();
    for (const auto& [key, value] : attributes.extended) {
      attribute_bytes_ += key.size() + value.size();
    }
    if (attribute_bytes_ <= options_.max_attribute_bytes) return;
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the archive has more than {} of names and attributes",
                                  base::format_size(options_.max_attribute_bytes)));
  }

  // Counts a file's whole length, holes included, before a byte of it is written.
  void reserve(std::uint64_t size) {
    if (size > options_.max_bytes - bytes_) {
      throw base::Error(base::ErrorKind::unsupported,
                        fmt::format("the archive unpacks to more than {}",
                                    base::format_size(options_.max_bytes)));
    }
    bytes_ += size;
  }

  // A sparse file's map may say anything: nothing is written beyond the length that was reserved.
  static void check_range(la_int64_t offset, std::size_t size, std::uint64_t length,
                          const std::string& name) {
    const auto begin = static_cast<std::uint64_t>(offset);  // a negative one is beyond any length
    if (size == 0 || (begin <= length && size <= length - begin)) return;
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the file '{}' is longer than the archive says", name),
                      "the archive is broken or hostile; nothing of it was kept");
  }

  void fill(int fd, const std::string& name, std::uint64_t length) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
      const int result = ::archive_read_data_block(archive_.get(), &bytes, &size, &offset);
      if (result == ARCHIVE_EOF) return;
      check(result);
      check_range(offset, size, length, name);
      try {
        base::pwrite_all(fd, {static_cast<const std::byte*>(bytes), size},
                         static_cast<std::uint64_t>(offset));
      } catch (const base::Error& error) {
        throw base::Error(error.kind(), fmt::format("cannot unpack {}: {}", name, error.message()),
                          error.hint(), error.number());
      }
    }
  }

  const Source& source_;
  const UnpackOptions& options_;
  TreeWriter tree_;
  std::exception_ptr failure_;
  std::uint64_t bytes_ = 0;
  std::uint64_t attribute_bytes_ = 0;
  std::uint64_t entries_ = 0;
  ArchiveHandle archive_;
};

}  // namespace

void unpack_tar(const Source& source, const std::filesystem::path& root,
                const UnpackOptions& options) {
  const Utf8Names names;
  Unpacker(source, root, options).run();
}

}  // namespace twinbox::image
