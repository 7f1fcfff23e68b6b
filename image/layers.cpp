#include "image/layers.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "image/compression.hpp"
#include "image/digest.hpp"
#include "image/erofs.hpp"
#include "image/unpack.hpp"
#include "sandbox/owned_directory.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

base::Fd lock_directory(const fs::path& path, int operation) {
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), operation) != 0) return {};
  return fd;
}

// Unpacks while hashing what was unpacked: the digest covers every byte, also those after the tar's
// end mark.
void unpack_checked(std::string_view diff_id, const fs::path& blob, const fs::path& root) {
  Decompressor input(blob);
  Sha256 hash;
  const Source source = [&] {
    const auto bytes = input.read();
    hash.update(bytes);
    return bytes;
  };
  unpack_tar(source, root);
  while (!source().empty()) continue;
  if (const auto found = hash.finish(); found != diff_id) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("the layer {} is corrupt: it unpacks to {}", diff_id, found),
                      "import the image again");
  }
}

}  // namespace

fs::path Layers::path_of(std::string_view diff_id) const {
  return directory_ / digest_hex(diff_id);
}

std::optional<Layer> Layers::find(std::string_view diff_id) const {
  const auto path = path_of(diff_id);
  // The lock comes first: a remover renames the directory away only while it has it alone.
  auto lock = lock_directory(path, LOCK_SH);
  if (!lock) return std::nullopt;
  Layer layer{path / "root", path / "layer.erofs", std::move(lock)};
  if (::access(layer.disk.c_str(), F_OK) != 0) return std::nullopt;
  return layer;
}

UnpackTimes Layers::unpack(std::string_view diff_id, const fs::path& blob) {
  UnpackTimes times;
  const auto work = sandbox::OwnedDirectory::create(work_);
  const auto draft = work.path() / "layer";
  base::make_directories(draft / "root");
  unpack_checked(diff_id, blob, draft / "root");
  times.directory = base::monotonic_now();
  make_erofs(draft / "root", draft / "layer.erofs");
  if (::chmod(draft.c_str(), 0700) != 0) base::throw_errno("cannot protect {}", draft.string());
  base::make_directories(directory_);
  if (::rename(draft.c_str(), path_of(diff_id).c_str()) != 0) {
    base::throw_errno("cannot store the layer {}", diff_id);
  }
  times.disk = base::monotonic_now();
  return times;
}

bool Layers::remove(std::string_view diff_id) {
  const auto path = path_of(diff_id);
  const auto lock = lock_directory(path, LOCK_EX | LOCK_NB);
  if (!lock) return ::access(path.c_str(), F_OK) != 0;
  const auto work = sandbox::OwnedDirectory::create(work_);
  if (::rename(path.c_str(), (work.path() / "layer").c_str()) != 0) {
    base::throw_errno("cannot remove the layer {}", diff_id);
  }
  return true;
}

void Layers::keep_only(const std::set<std::string>& used) {
  std::error_code missing;
  std::vector<std::string> unused;
  for (const auto& entry : fs::directory_iterator(directory_, missing)) {
    auto diff_id = "sha256:" + entry.path().filename().string();
    if (!used.contains(diff_id)) unused.push_back(std::move(diff_id));
  }
  for (const auto& diff_id : unused) remove(diff_id);
}

}  // namespace twinbox::image
