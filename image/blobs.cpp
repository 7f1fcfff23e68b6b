#include "image/blobs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "image/digest.hpp"
#include "sandbox/owned_directory.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;
using base::Json;
using base::JsonView;

constexpr auto name_annotation = "org.opencontainers.image.ref.name";

[[noreturn]] void throw_corrupt(std::string_view digest, std::string_view found) {
  throw base::Error(
      base::ErrorKind::system,
      fmt::format("the blob {} is corrupt: its content has the digest {}", digest, found),
      "import the image again");
}

void sync_and_rename(const fs::path& file, const fs::path& target) {
  const auto fd = base::open_file(file, O_RDONLY);
  if (::fsync(fd.get()) != 0) base::throw_errno("cannot sync {}", file.string());
  if (::rename(file.c_str(), target.c_str()) != 0) {
    base::throw_errno("cannot store {}", target.string());
  }
}

}  // namespace

Json to_json(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type},
          {"digest", descriptor.digest},
          {"size", descriptor.size}};
}

Descriptor descriptor_from(const JsonView& view) {
  return {.media_type = view.get<std::string>("mediaType"),
          .digest = view.get<std::string>("digest"),
          .size = view.get<std::uint64_t>("size")};
}

void Blobs::prepare() {
  base::make_directories(layout_ / "blobs/sha256");
  if (!fs::exists(layout_ / "oci-layout")) {
    replace(layout_ / "oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
  }
}

fs::path Blobs::path_of(std::string_view digest) const {
  return layout_ / "blobs/sha256" / digest_hex(digest);
}

bool Blobs::has(std::string_view digest) const {
  return ::access(path_of(digest).c_str(), F_OK) == 0;
}

Descriptor Blobs::add(std::string_view media_type, std::string_view text) {
  const auto digest = digest_of(text);
  replace(path_of(digest), text);
  return {.media_type = std::string(media_type), .digest = digest, .size = text.size()};
}

void Blobs::adopt(const fs::path& file, std::string_view digest) {
  sync_and_rename(file, path_of(digest));
}

// Written elsewhere first, so that a killed writer leaves nothing among the blobs.
void Blobs::replace(const fs::path& path, std::string_view text) {
  const auto work = sandbox::OwnedDirectory::create(work_);
  base::write_file(work.path() / "draft", text);
  sync_and_rename(work.path() / "draft", path);
}

Json Blobs::read_json(std::string_view digest) const {
  const auto path = path_of(digest);
  if (!has(digest)) {
    throw base::Error(base::ErrorKind::not_found, fmt::format("the blob {} is missing", digest),
                      "import the image again");
  }
  const auto text = base::read_file(path);
  const auto found = digest_of(text);
  if (found != digest) throw_corrupt(digest, found);
  return base::parse_json(text, path.string());
}

void Blobs::verify(std::string_view digest) const {
  if (!has(digest)) {
    throw base::Error(base::ErrorKind::not_found, fmt::format("the blob {} is missing", digest),
                      "import the image again");
  }
  const auto found = digest_of_file(path_of(digest));
  if (found != digest) throw_corrupt(digest, found);
}

void Blobs::keep_only(const std::set<std::string>& used) {
  std::vector<fs::path> unused;
  for (const auto& entry : fs::directory_iterator(layout_ / "blobs/sha256")) {
    if (!used.contains("sha256:" + entry.path().filename().string())) {
      unused.push_back(entry.path());
    }
  }
  for (const auto& path : unused) base::remove_tree(path);
}

std::map<std::string, Descriptor> Blobs::index() const {
  const auto path = index_path();
  std::map<std::string, Descriptor> images;
  if (::access(path.c_str(), F_OK) != 0) return images;
  const auto json = base::parse_json(base::read_file(path), path.string());
  for (const auto& manifest : JsonView(json, path).at("manifests").elements()) {
    const auto annotations = manifest.find("annotations");
    const auto name = annotations ? annotations->get_or<std::string>(name_annotation, "") : "";
    if (!name.empty()) images[name] = descriptor_from(manifest);
  }
  return images;
}

void Blobs::write_index(const std::map<std::string, Descriptor>& images) {
  auto manifests = Json::array();
  for (const auto& [name, descriptor] : images) {
    auto entry = to_json(descriptor);
    entry["annotations"][name_annotation] = name;
    manifests.push_back(std::move(entry));
  }
  const Json index{{"schemaVersion", 2},
                   {"mediaType", "application/vnd.oci.image.index.v1+json"},
                   {"manifests", manifests}};
  replace(index_path(), index.dump(2));
}

}  // namespace twinbox::image
