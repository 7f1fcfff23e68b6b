#include "qemu/lab/contents.hpp"

#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/syscall.hpp"
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

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    check(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  // Length first, so that two texts never run together.
  void add_field(std::string_view text) {
    const std::string length = std::to_string(text.size()) + ':';
    add(std::as_bytes(std::span(length)));
    add(std::as_bytes(std::span(text)));
  }
  void add_file(const fs::path& path) {
    const base::Fd fd = base::open_file(path, O_RDONLY);
    std::vector<std::byte> buffer(256 * 1024);
    while (const auto count = base::read_some(fd.get(), buffer).value_or(0)) {
      add(std::span(buffer).first(count));
    }
  }
  std::string hexadecimal() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
    std::string text;
    for (unsigned index = 0; index < size; ++index) text += fmt::format("{:02x}", digest[index]);
    return text;
  }

 private:
  static void check(bool ok) {
    if (!ok) throw base::Error(base::ErrorKind::internal, "the library's sha256 failed");
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

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
  Sha256 hash;
  for (const auto& [path, entry] : entries_) {
    hash.add_field(path);
    hash.add_field(
        fmt::format("{:o} {} {} {}", entry.mode, entry.owner, entry.group, entry.device));
    hash.add_field(std::to_string(entry.size));
    if (entry.source.empty()) {
      hash.add_field(entry.text);
    } else {
      hash.add_file(entry.source);
    }
  }
  return hash.hexadecimal();
}

}  // namespace twinbox::qemu
