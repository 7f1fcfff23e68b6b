// The images of this host: imported, listed, removed, made ready for a box.
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "image/blobs.hpp"
#include "image/config.hpp"
#include "image/import_marks.hpp"
#include "image/layers.hpp"
#include "image/lookup_cache.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::image {

struct ImageSummary {
  std::string name;
  std::string id;          // the config's digest
  std::string created;     // RFC 3339
  std::uint64_t size = 0;  // bytes of all blobs
  std::string damage;      // why it cannot be used; empty when it can
};

struct ImportedImage : ImageSummary {
  ImportMarks marks;
};

// An image ready for boxes. For as long as it lives its layers are not removed.
struct PreparedImage {
  std::string name;
  std::string id;  // the config's digest
  ImageConfig config;
  sandbox::RootFilesystem root;
  std::vector<base::Fd> locks;
};

// Below its root: images/ (the OCI image layout), layers/ (see Layers), work/ (half-made things).
// Changes are made under a lock on images/, so that any number of processes may use a store.
//
//   const image::Store store;
//   const auto prepared = store.prepare("busybox");
class Store {
 public:
  explicit Store(const std::filesystem::path& root = sandbox::data_root());

  // Makes an image of one layer from a directory, or from a tar (plain, gzip, bzip2, xz, zstd) of a
  // root file system. An image of that name is replaced; one of the same content is kept as it is.
  ImportedImage import(const std::string& name, const std::filesystem::path& source,
                       ImageConfig config = {});
  std::vector<ImageSummary> list() const;
  // Throws base::Error (conflict) while a box uses it.
  void remove(const std::string& name);
  // Fast for an unpacked image: see LookupCache.
  PreparedImage prepare(const std::string& name);
  // The image that had this id, also where its name means another by now. Throws base::Error
  // (not_found) when it is gone.
  PreparedImage prepare(const std::string& name, const std::string& id);
  // Checks every blob of an image against its digest.
  void verify(const std::string& name) const;
  // Removes what a killed process left half made; one directory read when there is nothing.
  void sweep();

 private:
  struct Manifest {
    Descriptor config;
    std::vector<Descriptor> layers;
  };
  Descriptor find(const std::string& name) const;
  std::string find_name(const std::string& name, const std::string& id) const;
  Manifest read_manifest(const Descriptor& manifest) const;
  ImageConfig read_config(const Manifest& manifest) const;
  ImageSummary summary(const std::string& name, const Descriptor& manifest) const;
  base::Fd lock();
  ImportedImage import_locked(const std::string& name, const std::filesystem::path& source,
                              ImageConfig config, std::optional<std::time_t> told);
  Descriptor store_layer(const std::filesystem::path& directory, std::string& diff_id);
  Descriptor store_image(const ImageConfig& config, const Descriptor& layer);
  bool is_same(const Descriptor& manifest, const ImageConfig& config) const;
  // When the last of them was ready; nothing where none was missing.
  std::optional<UnpackTimes> unpack_missing(const Manifest& manifest, const ImageConfig& config);
  std::optional<std::set<std::string>> layers_of(const Descriptor& manifest) const;
  FoundImage look_up(const std::string& name) const;
  PreparedImage prepare_found(const std::string& name, FoundImage found);
  void collect_garbage();
  void drop_unnamed_blobs();

  std::filesystem::path root_;
  Blobs blobs_;
  Layers layers_;
  LookupCache lookups_;
};

}  // namespace twinbox::image
