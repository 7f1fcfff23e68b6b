// Copies of layers in a file system of huge pages, where one fault of a guest maps 2 MiB of a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/size.hpp"
#include "vmm/machine_config.hpp"

namespace twinbox::vmm {

// An image with copies in place of its layers where there are such. They stay while this lives.
struct LayersInUse {
  ImageConfig image;
  std::vector<base::Fd> locks;
};

// The copies in one directory, KEY.erofs, padded to 2 MiB; any number of processes may use it. The
// host cannot drop their memory when it is short, as it does with other files' pages; so there are
// bounds, and no copy is made of a layer that the host has not kept in its page cache.
//
//   const auto layers = HugeLayers(templates_directory()).use(config.image);
//   config.image = layers.image;
class HugeLayers {
 public:
  struct Bounds {
    // Below it faults cost less than the rest of a huge page is worth.
    std::uint64_t smallest = base::mebibyte / 4;
    // To copy 256 MiB takes a tenth of a second.
    std::uint64_t largest = 256 * base::mebibyte;
    std::uint64_t together = 0;  // 0: an eighth of the host's memory
  };

  explicit HugeLayers(std::filesystem::path directory) : HugeLayers(std::move(directory), {}) {}
  HugeLayers(std::filesystem::path directory, Bounds bounds);

  // Makes the copies that are missing, of layers that are all in the host's page cache, which they
  // leave then. Never fails: a layer that has no copy stays as it is.
  LayersInUse use(ImageConfig image) const;
  // Removes the copies of layers that are not there any more, or are others now.
  void remove_orphans() const;
  // Removes all that no machine uses; returns their bytes.
  std::uint64_t prune() const;

 private:
  base::Fd find(const std::filesystem::path& copy) const;
  base::Fd make(const ImageFile& layer, const std::filesystem::path& copy) const;
  bool make_room(std::uint64_t size) const;

  std::filesystem::path directory_;
  Bounds bounds_;
};

}  // namespace twinbox::vmm
