#include "vmm/huge_layers.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/fingerprint.hpp"
#include "base/log.hpp"
#include "base/mapping.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t huge_page = 2 * base::mebibyte;
constexpr std::uint64_t page = 4096;

std::uint64_t padded(std::uint64_t size) { return (size + huge_page - 1) / huge_page * huge_page; }

std::string key_of(const fs::path& layer) { return base::short_name(base::fingerprint(layer)); }

// Of a copy: the path of its layer.
constexpr const char* origin_attribute = "trusted.twinbox.layer";

struct stat status_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) base::throw_errno("cannot examine a layer's copy");
  return status;
}

// A file system in memory tells of huge pages as the best size of a transfer.
bool has_huge_pages(int fd) {
  struct statfs status {};
  return ::fstatfs(fd, &status) == 0 && status.f_type == TMPFS_MAGIC &&
         status_of(fd).st_blksize >= static_cast<long>(huge_page);
}

// Of a file's pages, those in the page cache.
std::uint64_t cached_pages(int fd, std::uint64_t size) {
  const auto mapping = base::Mapping::of_file(fd, size, PROT_READ, MAP_SHARED);
  std::vector<unsigned char> resident((size + page - 1) / page);
  if (::mincore(mapping.data(), size, resident.data()) != 0)
    base::throw_errno("cannot ask mincore");
  return static_cast<std::uint64_t>(
      std::ranges::count_if(resident, [](unsigned char one) { return (one & 1U) != 0; }));
}

// A start does not wait for the host's disk. Of a layer that is used much the rest is asked for.
bool all_cached(int fd, std::uint64_t size) {
  const auto pages = (size + page - 1) / page;
  const auto cached = cached_pages(fd, size);
  if (cached < pages && 2 * cached >= pages) {
    ::posix_fadvise(fd, 0, static_cast<off_t>(size), POSIX_FADV_WILLNEED);
  }
  return cached == pages;
}

// Straight into the pages that will be mapped. They are allocated before, so that a file system
// that is full fails here, and does not raise a signal.
void fill(int copy, int layer, std::uint64_t size) {
  if (::fallocate(copy, 0, 0, static_cast<off_t>(padded(size))) != 0) {
    base::throw_errno("cannot allocate {}", base::format_size(padded(size)));
  }
  const auto mapping =
      base::Mapping::of_file(copy, padded(size), PROT_READ | PROT_WRITE, MAP_SHARED);
  base::pread_exact(layer, mapping.bytes().first(size), 0);
}

struct Copy {
  fs::path path;
  timespec used{};
  std::uint64_t bytes = 0;
};

// The ones used last come last.
std::vector<Copy> copies_in(const fs::path& directory) {
  constexpr std::uint64_t block = 512;
  std::vector<Copy> copies;
  for (const auto& name : base::names_in(directory)) {
    struct stat status {};
    const auto path = directory / name;
    if (path.extension() != ".erofs" || ::stat(path.c_str(), &status) != 0) continue;
    copies.push_back({path, status.st_mtim, static_cast<std::uint64_t>(status.st_blocks) * block});
  }
  std::ranges::sort(copies, std::less(),
                    [](const Copy& one) { return std::tuple(one.used.tv_sec, one.used.tv_nsec); });
  return copies;
}

// Whoever gives copies names or takes them away holds this, so that a name means the same copy and
// their sum is the same throughout. Nothing where there is no such directory.
base::Fd lock_names(const fs::path& directory) {
  base::Fd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (lock && ::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) base::throw_errno("cannot lock {}", directory.string());
  }
  return lock;
}

// With the names locked. Whoever uses it holds a lock on it.
bool remove_unused(const fs::path& copy) {
  const base::Fd file(::open(copy.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  return ::unlink(copy.c_str()) == 0;
}

bool is_orphan(const fs::path& copy) {
  std::array<char, PATH_MAX> origin{};
  const auto length = ::getxattr(copy.c_str(), origin_attribute, origin.data(), origin.size());
  if (length <= 0) return errno != ENOENT;  // another has removed it
  const fs::path layer(std::string(origin.data(), static_cast<std::size_t>(length)));
  try {
    return key_of(layer) != copy.stem();
  } catch (const base::Error&) {
    return true;  // the layer is gone; maybe another has just removed it
  }
}

// With the names locked.
void remove_orphans_in(const fs::path& directory) {
  for (const auto& copy : copies_in(directory)) {
    if (is_orphan(copy.path)) ::unlink(copy.path.c_str());  // its machines keep what they map
  }
}

std::uint64_t eighth_of_memory() {
  struct sysinfo host {};
  return ::sysinfo(&host) == 0 ? std::uint64_t{host.totalram} * host.mem_unit / 8 : 0;
}

}  // namespace

HugeLayers::HugeLayers(fs::path directory, Bounds bounds)
    : directory_(std::move(directory)), bounds_(bounds) {}

LayersInUse HugeLayers::use(ImageConfig image) const {
  LayersInUse used{std::move(image), {}};
  for (auto& layer : used.image.files) {
    if (layer.size < bounds_.smallest || layer.size > bounds_.largest) continue;
    try {
      const auto path = directory_ / (key_of(layer.path) + ".erofs");
      auto copy = find(path);
      if (!copy) copy = make(layer, path);
      if (!copy) continue;
      layer.path = path.string();
      layer.size = padded(layer.size);
      used.locks.push_back(std::move(copy));
    } catch (const base::Error& error) {
      base::log(base::LogLevel::debug, "no copy in huge pages of {}: {}", layer.path, error.what());
    }
  }
  return used;
}

// Nothing, too, where it is being removed.
base::Fd HugeLayers::find(const fs::path& copy) const {
  base::Fd file(::open(copy.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 || status_of(file.get()).st_nlink == 0) {
    return {};
  }
  ::futimens(file.get(), nullptr);  // used now
  return file;
}

// It has no name before it is whole: whoever is killed here leaves nothing.
base::Fd HugeLayers::make(const ImageFile& layer, const fs::path& copy) const {
  base::Fd draft(::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0400));
  if (!draft || !has_huge_pages(draft.get())) return {};
  const auto source = base::open_file(layer.path, O_RDONLY);
  // Whoever has made the copy by now has also dropped the layer from the cache.
  if (!all_cached(source.get(), layer.size)) return find(copy);
  // Until it has its name: another that makes room meanwhile would not know of it.
  const auto names = lock_names(directory_);
  if (auto made = find(copy)) return made;  // another was faster
  if (!make_room(padded(layer.size))) return {};
  fill(draft.get(), source.get(), layer.size);
  const auto origin = fs::absolute(layer.path).string();
  if (::fsetxattr(draft.get(), origin_attribute, origin.data(), origin.size(), 0) != 0 ||
      ::flock(draft.get(), LOCK_SH) != 0) {
    base::throw_errno("cannot mark {}", copy.string());
  }
  const auto unnamed = fmt::format("/proc/self/fd/{}", draft.get());
  if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, copy.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    base::throw_errno("cannot name {}", copy.string());
  }
  ::posix_fadvise(source.get(), 0, 0, POSIX_FADV_DONTNEED);
  return draft;
}

// With the names locked.
bool HugeLayers::make_room(std::uint64_t size) const {
  const auto bound = bounds_.together != 0 ? bounds_.together : eighth_of_memory();
  remove_orphans_in(directory_);
  const auto copies = copies_in(directory_);
  std::uint64_t total = size;
  for (const auto& copy : copies) total += copy.bytes;
  for (auto copy = copies.begin(); total > bound && copy != copies.end(); ++copy) {
    if (remove_unused(copy->path)) total -= copy->bytes;
  }
  return total <= bound;
}

void HugeLayers::remove_orphans() const {
  if (const auto names = lock_names(directory_)) remove_orphans_in(directory_);
}

std::uint64_t HugeLayers::prune() const {
  const auto names = lock_names(directory_);
  std::uint64_t freed = 0;
  for (const auto& copy : copies_in(directory_)) {
    if (remove_unused(copy.path)) freed += copy.bytes;
  }
  return freed;
}

}  // namespace twinbox::vmm
