#include "guest-images/initramfs.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/fingerprint.hpp"
#include "base/syscall.hpp"
#include "guest-images/kernel_modules.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::guest_images {
namespace {

namespace fs = std::filesystem;

// The bus, the port to the host, the disks, and the two file systems of a root. In the order of
// need: the host answers the console while the rest is loaded.
std::vector<std::string> needed_modules(VirtioBus bus, bool persistent_memory) {
  if (bus == VirtioBus::pci)
    return {"virtio_pci", "virtio_console", "virtio_blk", "erofs", "overlay"};
  if (persistent_memory) {
    return {"virtio_mmio", "virtio_console", "virtio_pmem",   "nd_pmem",
            "erofs",       "overlay",        "virtio_balloon"};
  }
  return {"virtio_mmio", "virtio_console", "virtio_blk", "erofs", "overlay", "virtio_balloon"};
}

struct FreeArchive {
  void operator()(archive* value) const { ::archive_write_free(value); }
};
struct FreeEntry {
  void operator()(archive_entry* value) const { ::archive_entry_free(value); }
};

class ArchiveWriter {
 public:
  explicit ArchiveWriter(const fs::path& path) : path_(path), archive_(::archive_write_new()) {
    check(::archive_write_set_format_cpio_newc(archive_.get()));
    check(::archive_write_add_filter_none(archive_.get()));
    check(::archive_write_open_filename(archive_.get(), path.c_str()));
  }

  void add(const std::string& name, unsigned type, unsigned mode, const std::string& content) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(::archive_entry_new());
    ::archive_entry_set_pathname(entry.get(), name.c_str());
    ::archive_entry_set_filetype(entry.get(), type);
    ::archive_entry_set_perm(entry.get(), mode);
    ::archive_entry_set_mtime(entry.get(), 0, 0);
    ::archive_entry_set_nlink(entry.get(), 1);
    ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    check(::archive_write_header(archive_.get(), entry.get()));
    if (::archive_write_data(archive_.get(), content.data(), content.size()) !=
        static_cast<la_ssize_t>(content.size())) {
      check(ARCHIVE_FATAL);
    }
  }

  void finish() { check(::archive_write_close(archive_.get())); }

 private:
  void check(int result) {
    if (result >= ARCHIVE_WARN) return;
    throw base::Error(base::ErrorKind::system,
                      fmt::format("cannot write the initramfs {}: {}", path_.string(),
                                  ::archive_error_string(archive_.get())),
                      "is the disk full?");
  }

  fs::path path_;
  std::unique_ptr<archive, FreeArchive> archive_;
};

// What processes that were killed while they wrote have left: "HASH.cpio.new.PID".
void remove_stale_drafts(const fs::path& directory) {
  constexpr std::string_view mark = ".new.";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const auto name = entry.path().filename().string();
    const auto at = name.find(mark);
    if (at == std::string::npos) continue;
    const auto owner = name.substr(at + mark.size());
    if (!fs::exists("/proc/" + owner, ignored)) fs::remove(entry.path(), ignored);
  }
}

// Of agents and modules that were replaced since; one that is wanted again is made again. A machine
// has read its own before it runs, and one that is about to does so soon.
void remove_old(const fs::path& directory) {
  constexpr std::size_t kept = 8;
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(24);
  std::vector<std::pair<fs::file_time_type, fs::path>> made;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().extension() != ".cpio") continue;
    made.emplace_back(entry.last_write_time(ignored), entry.path());
  }
  std::ranges::sort(made, std::greater());
  for (std::size_t i = kept; i < made.size(); ++i) {
    if (made[i].first < old) fs::remove(made[i].second, ignored);
  }
}

void build(const fs::path& path, const fs::path& agent, const GuestKernel& kernel,
           const std::vector<std::string>& modules) {
  std::vector<InitramfsFile> files{{"init", base::read_file(agent), 0755}};
  std::string order;
  if (!kernel.modules.empty()) {
    for (const auto& file : resolve_modules(kernel.modules, modules)) {
      const auto name = file.filename().string();
      files.push_back(
          {"modules/" + name, std::string(without_signature(base::read_file(file))), 0644});
      order += name + "\n";
    }
  }
  files.push_back({"modules/order", order, 0644});
  write_initramfs(path, {"dev", "modules", "newroot"}, std::move(files));
}

}  // namespace

void write_initramfs(const fs::path& path, std::vector<std::string> directories,
                     std::vector<InitramfsFile> files) {
  const auto draft = path.string() + ".new." + std::to_string(::getpid());
  try {
    std::sort(directories.begin(), directories.end());
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    ArchiveWriter writer(draft);
    for (const auto& name : directories) writer.add(name, AE_IFDIR, 0755, {});
    for (const auto& file : files) writer.add(file.name, AE_IFREG, file.mode, file.content);
    writer.finish();
    if (::fsync(base::open_file(draft, O_RDONLY).get()) != 0)
      base::throw_errno("cannot sync {}", draft);
    fs::rename(draft, path);
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
}

fs::path guest_initramfs(const GuestKernel& kernel, VirtioBus bus, bool persistent_memory) {
  const auto agent = sandbox::program_path("twinbox-agent");
  auto inputs = base::fingerprint(agent) + "\n";
  const auto modules = needed_modules(bus, persistent_memory);
  if (!kernel.modules.empty()) {
    inputs += base::fingerprint(kernel.modules / "modules.builtin");
    for (const auto& module : modules) inputs += " " + module;
  }
  const auto path = sandbox::data_root() / "cache/initramfs" / (base::short_name(inputs) + ".cpio");
  if (!fs::exists(path)) {
    base::make_directories(path.parent_path());
    remove_stale_drafts(path.parent_path());
    build(path, agent, kernel, modules);
    remove_old(path.parent_path());
  }
  return path;
}

}  // namespace twinbox::guest_images
