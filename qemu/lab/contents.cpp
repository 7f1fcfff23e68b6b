#include "qemu/lab/contents.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/syscall.hpp"
#include "image/digest.hpp"
#include "qemu/lab/elf_libraries.hpp"

namespace twinbox::qemu {
namespace {

namespace fs = std::filesystem;

// In the lab /bin, /sbin, /lib, /lib64 and /usr/sbin are links, as on Debian, so that what is asked
// for by either name is there once.
std::string lab_path(const fs::path& target) {
  std::string path = target.lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  for (const std::string_view merged : {"/bin/", "/sbin/", "/lib/", "/lib64/"}) {
    if (path.starts_with(merged)) path.insert(0, "/usr");
  }
  if (path.starts_with("/usr/sbin/")) path.replace(0, 10, "/usr/bin/");
  return path;
}

std::string link_target(const fs::path& link) {
  std::error_code error;
  const auto target = fs::read_symlink(link, error);
  if (error) throw base::system_error(error.value(), "cannot read the link " + link.string());
  return target.string();
}

// Length first, so that two texts never run together.
void add_field(image::Sha256& hash, std::string_view text) {
  const std::string length = std::to_string(text.size()) + ':';
  hash.update(std::as_bytes(std::span(length)));
  hash.update(std::as_bytes(std::span(text)));
}

void hash_file(image::Sha256& hash, const fs::path& path) {
  const base::Fd fd = base::open_file(path, O_RDONLY);
  std::vector<std::byte> buffer(256 * 1024);
  while (const auto count = base::read_some(fd.get(), buffer).value_or(0)) {
    hash.update(std::span(buffer).first(count));
  }
}

}  // namespace

void LabContents::add(const fs::path& target, Entry entry) {
  const std::string path = lab_path(target);
  const fs::path parent = fs::path(path).parent_path();
  if (parent != "/" && !entries_.contains(parent.string())) add_directory(parent);
  entries_[path] = std::move(entry);
}

void LabContents::add_text(const fs::path& target, std::string text, mode_t permissions) {
  const auto size = text.size();
  add(target, {.mode = S_IFREG | permissions, .size = size, .source = {}, .text = std::move(text)});
}

void LabContents::add_directory(const fs::path& target, mode_t permissions) {
  add(target, {.mode = S_IFDIR | permissions, .source = {}, .text = {}});
}

void LabContents::add_link(const fs::path& target, std::string destination) {
  add(target, {.mode = S_IFLNK | 0777, .source = {}, .text = std::move(destination)});
}

void LabContents::add_file(const fs::path& source, const fs::path& target) {
  struct stat info {};
  if (::lstat(source.c_str(), &info) != 0) base::throw_errno("cannot look at {}", source.string());
  Entry entry{
      .mode = info.st_mode, .owner = info.st_uid, .group = info.st_gid, .source = {}, .text = {}};
  if (S_ISSOCK(info.st_mode)) return;
  if (S_ISREG(info.st_mode)) {
    entry.size = static_cast<std::uint64_t>(info.st_size);
    entry.source = source;
  } else if (S_ISLNK(info.st_mode)) {
    entry.text = link_target(source);
  } else if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    entry.device = info.st_rdev;
  }
  add(target, std::move(entry));
}

void LabContents::add_tree(const fs::path& source, const fs::path& target) {
  add_file(source, target);
  if (!fs::is_directory(fs::symlink_status(source))) return;
  std::error_code error;
  for (fs::recursive_directory_iterator walk(source, error), end; !error && walk != end;
       walk.increment(error)) {
    add_file(walk->path(), target / walk->path().lexically_relative(source));
  }
  if (error) throw base::system_error(error.value(), "cannot list " + source.string());
}

void LabContents::add_program(const fs::path& source, const fs::path& target) {
  std::error_code error;
  const auto file = fs::canonical(source, error);
  if (error) throw base::system_error(error.value(), "cannot find " + source.string());
  add_file(file, target);
  for (const auto& library : shared_libraries(file)) {
    if (!has(library)) add_file(fs::canonical(library), library);
  }
}

bool LabContents::has(const fs::path& target) const { return entries_.contains(lab_path(target)); }

std::uint64_t LabContents::total_bytes() const {
  std::uint64_t total = 0;
  for (const auto& [path, entry] : entries_) total += entry.size;
  return total;
}

std::string LabContents::digest() const {
  image::Sha256 hash;
  for (const auto& [path, entry] : entries_) {
    add_field(hash, path);
    add_field(hash,
              fmt::format("{:o} {} {} {}", entry.mode, entry.owner, entry.group, entry.device));
    add_field(hash, std::to_string(entry.size));
    if (entry.source.empty()) {
      add_field(hash, entry.text);
    } else {
      hash_file(hash, entry.source);
    }
  }
  return image::digest_hex(hash.finish());
}

}  // namespace twinbox::qemu
