// An image of our store in the forms that other engines take, with its content unchanged.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "image/store.hpp"

namespace twinbox::compare {

// Keeps its image from being removed.
class ImageMaterial {
 public:
  explicit ImageMaterial(const std::string& name);

  const std::string& id() const { return image_.id; }  // the config's digest
  const image::PreparedImage& image() const { return image_; }
  // An archive for `docker load` or `podman load`, with this name in it. Config and layers are the
  // store's own bytes, so the image has the same id there.
  void write_archive(const std::filesystem::path& file, const std::string& name,
                     const std::filesystem::path& scratch) const;
  // An archive of its root file system, all layers in one, as `twinbox image import` takes it.
  void write_root(const std::filesystem::path& file) const;

 private:
  image::PreparedImage image_;
};

// A root file system from an image, for engines that do not make one: an overlay with its writable
// layer in memory, mounted in this process's own mount namespace, so that it is gone with the
// process however that ends. `directory` is one that nobody else uses, and in memory as well.
class MountedRoot {
 public:
  MountedRoot(const ImageMaterial& material, const std::filesystem::path& directory);
  MountedRoot(const MountedRoot&) = delete;
  MountedRoot& operator=(const MountedRoot&) = delete;
  ~MountedRoot();

  // Below the directory that was given.
  std::filesystem::path path() const { return directory_ / "rootfs"; }

 private:
  std::filesystem::path directory_;
};

}  // namespace twinbox::compare
