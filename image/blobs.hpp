// The content store: an OCI image layout, that is blobs named by their digest and an index of
// names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace twinbox::image {

// How the image-spec refers to a blob.
struct Descriptor {
  std::string media_type;
  std::string digest;
  std::uint64_t size = 0;
};

base::Json to_json(const Descriptor& descriptor);
Descriptor descriptor_from(const base::JsonView& view);

class Blobs {
 public:
  // `work` is for what is half written.
  Blobs(std::filesystem::path layout, std::filesystem::path work)
      : layout_(std::move(layout)), work_(std::move(work)) {}

  // Makes the layout's files where they are missing.
  void prepare();
  const std::filesystem::path& layout() const { return layout_; }
  std::filesystem::path index_path() const { return layout_ / "index.json"; }
  std::filesystem::path path_of(std::string_view digest) const;
  bool has(std::string_view digest) const;

  // Stores a small blob.
  Descriptor add(std::string_view media_type, std::string_view text);
  // Takes in a finished file of the same file system as the blob `digest`.
  void adopt(const std::filesystem::path& file, std::string_view digest);
  // The JSON of a blob, verified against its digest.
  base::Json read_json(std::string_view digest) const;
  // Throws base::Error naming the digest unless the blob's bytes have it.
  void verify(std::string_view digest) const;
  // Removes every blob that is not among `used`.
  void keep_only(const std::set<std::string>& used);

  // The images of index.json: a name to its manifest.
  std::map<std::string, Descriptor> index() const;
  void write_index(const std::map<std::string, Descriptor>& images);

 private:
  void replace(const std::filesystem::path& path, std::string_view text);

  std::filesystem::path layout_;
  std::filesystem::path work_;
};

}  // namespace twinbox::image
