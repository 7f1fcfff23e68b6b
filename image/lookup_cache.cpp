#include "image/lookup_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <ctime>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/packed.hpp"
#include "base/syscall.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t format = 1;

// All zeros for a file that is not there.
std::array<std::uint64_t, 5> identity_of(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size),
          static_cast<std::uint64_t>(info.st_ctim.tv_sec),
          static_cast<std::uint64_t>(info.st_ctim.tv_nsec)};
}

std::uint64_t checksum(std::string_view text) {
  return ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
}

void put(base::PackedWriter& writer, const FoundImage& image) {
  const auto& config = image.config;
  writer.put(image.id);
  writer.put(config.env);
  writer.put(config.entrypoint);
  writer.put(config.command);
  writer.put(config.working_directory);
  writer.put(config.user);
  writer.put(config.stop_signal);
  writer.put(config.labels);
  writer.put(config.created);
  writer.put(config.diff_ids);
}

FoundImage take_image(base::PackedReader& reader) {
  FoundImage image;
  auto& config = image.config;
  image.id = reader.string();
  config.env = reader.strings();
  config.entrypoint = reader.strings();
  config.command = reader.strings();
  config.working_directory = reader.string();
  config.user = reader.string();
  config.stop_signal = reader.string();
  config.labels = reader.map();
  config.created = reader.string();
  config.diff_ids = reader.strings();
  return image;
}

std::optional<std::string> read_if_there(const fs::path& path) {
  const base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  return base::read_to_end(file.get());
}

}  // namespace

void Witnesses::add(const fs::path& file) { files_.push_back({file, identity_of(file)}); }

bool Witnesses::unchanged() const {
  for (const auto& witness : files_) {
    if (identity_of(witness.file) != witness.identity) return false;
  }
  return true;
}

bool Witnesses::settled() const {
  const auto now = static_cast<std::uint64_t>(std::time(nullptr));
  for (const auto& witness : files_) {
    if (witness.identity[3] + 1 >= now) return false;
  }
  return true;
}

fs::path LookupCache::path_of(const std::string& name) const {
  std::string file;
  for (const char c : name) file += c == '/' ? '%' : c;
  return directory_ / file;
}

std::optional<FoundImage> LookupCache::find(const std::string& name) const try {
  const auto text = read_if_there(path_of(name));
  if (!text) return std::nullopt;
  base::PackedReader reader(*text);
  if (reader.number() != format || reader.string() != name) return std::nullopt;
  if (reader.number() != checksum(std::string_view(*text).substr(text->size() - reader.left()))) {
    return std::nullopt;
  }
  Witnesses witnesses;
  for (auto left = reader.number(); left > 0; --left) {
    auto& witness = witnesses.files_.emplace_back();
    witness.file = reader.string();
    for (auto& part : witness.identity) part = reader.number();
  }
  if (!witnesses.unchanged()) return std::nullopt;
  return take_image(reader);
} catch (const base::Error&) {
  return std::nullopt;
}

void LookupCache::keep(const std::string& name, const FoundImage& image,
                       const Witnesses& witnesses) const try {
  if (!witnesses.settled()) return;
  base::PackedWriter body;
  body.put(std::uint64_t{witnesses.files_.size()});
  for (const auto& witness : witnesses.files_) {
    body.put(witness.file);
    for (const auto part : witness.identity) body.put(part);
  }
  put(body, image);
  base::PackedWriter whole;
  whole.put(format);
  whole.put(name);
  whole.put(checksum(body.text()));
  base::make_directories(directory_);
  const auto path = path_of(name);
  const auto draft = fmt::format("{}.{}", path.string(), ::getpid());
  base::write_file(draft, whole.text() + body.text());
  if (::rename(draft.c_str(), path.c_str()) != 0) ::unlink(draft.c_str());
} catch (const base::Error&) {
  // The next one looks the long way, too.
}

void LookupCache::forget(const std::string& name) const { ::unlink(path_of(name).c_str()); }

}  // namespace twinbox::image
