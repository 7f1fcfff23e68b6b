#include "compare/engines/image_material.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "image/blobs.hpp"
#include "image/compression.hpp"
#include "image/tar_writer.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using base::Json;

class OutputFile {
 public:
  explicit OutputFile(const fs::path& path) : path_(path), stream_(path, std::ios::binary) {}
  void write(std::span<const std::byte> bytes) {
    stream_.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
    if (!stream_) base::throw_errno("cannot write {}", path_.string());
  }
  void close() {
    stream_.close();
    if (!stream_) base::throw_errno("cannot write {}", path_.string());
  }

 private:
  fs::path path_;
  std::ofstream stream_;
};

void unpack_to(const fs::path& blob, const fs::path& file) {
  image::Decompressor source(blob);
  OutputFile target(file);
  for (auto bytes = source.read(); !bytes.empty(); bytes = source.read()) target.write(bytes);
  target.close();
}

void enter_own_mount_namespace() {
  static const bool entered = [] {
    if (::unshare(CLONE_NEWNS) != 0) base::throw_errno("cannot make a mount namespace");
    // What others mount is seen here; what is mounted here is seen nowhere else.
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
      base::throw_errno("cannot keep mounts to this process");
    }
    return true;
  }();
  static_cast<void>(entered);
}

// What separates paths in overlayfs's options must not be in one.
std::string lower_option(const std::vector<fs::path>& layers) {
  std::string option;
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    const auto path = layer->string();
    if (path.find_first_of(",:\\") != std::string::npos) {
      throw base::Error(
          base::ErrorKind::unsupported,
          fmt::format("cannot mount {} in an overlay: its path has ',' ':' or '\\'", path),
          "set TWINBOX_ROOT to a plain path");
    }
    option += (option.empty() ? "" : ":") + path;
  }
  return option;
}

}  // namespace

ImageMaterial::ImageMaterial(const std::string& name) : image_(image::Store().prepare(name)) {}

void ImageMaterial::write_archive(const fs::path& file, const std::string& name,
                                  const fs::path& scratch) const {
  const base::TemporaryDirectory work(scratch, "archive-");
  const image::Blobs blobs(sandbox::data_root() / "images", work.path());
  const auto manifest = blobs.index().at(image_.name);
  const auto json = blobs.read_json(manifest.digest);
  const auto config = image_.id.substr(image_.id.find(':') + 1) + ".json";
  fs::copy_file(blobs.path_of(image_.id), work.path() / config);
  std::vector<std::string> layers;
  for (const auto& layer : base::JsonView(json, manifest.digest).at("layers").elements()) {
    layers.push_back(fmt::format("{}.tar", layers.size()));
    unpack_to(blobs.path_of(layer.get<std::string>("digest")), work.path() / layers.back());
  }
  const Json index = Json::array({{{"Config", config}, {"RepoTags", {name}}, {"Layers", layers}}});
  base::write_file(work.path() / "manifest.json", index.dump());
  OutputFile target(file);
  image::write_tar(work.path(), [&](std::span<const std::byte> bytes) { target.write(bytes); });
  target.close();
}

void ImageMaterial::write_root(const fs::path& file) const {
  OutputFile target(file);
  const auto write = [&](const fs::path& root) {
    image::write_tar(root, [&](std::span<const std::byte> bytes) { target.write(bytes); });
  };
  const auto& layers = image_.root.directories;
  if (layers.size() == 1) {
    write(layers.front());
  } else {
    write(MountedRoot(*this, file.string() + ".mount").path());
  }
  target.close();
}

MountedRoot::MountedRoot(const ImageMaterial& material, const fs::path& directory)
    : directory_(directory) {
  enter_own_mount_namespace();
  // What the workload writes goes to memory, as it does in our own boxes.
  base::make_directories(directory);
  if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "mode=0755") != 0) {
    base::throw_errno("cannot mount a tmpfs on {}", directory.string());
  }
  for (const auto* const name : {"rootfs", "upper", "work"}) {
    base::make_directories(directory / name);
  }
  const auto options = fmt::format("lowerdir={},upperdir={},workdir={}",
                                   lower_option(material.image().root.directories),
                                   (directory / "upper").string(), (directory / "work").string());
  if (::mount("overlay", path().c_str(), "overlay", 0, options.c_str()) != 0) {
    base::throw_errno("cannot mount the root of {}", material.image().name);
  }
}

MountedRoot::~MountedRoot() {
  ::umount2(path().c_str(), MNT_DETACH);
  ::umount2(directory_.c_str(), MNT_DETACH);
  try {
    base::remove_tree(directory_);
  } catch (const base::Error&) {
    // In the scratch directory, which is removed as a whole.
  }
}

}  // namespace twinbox::compare
