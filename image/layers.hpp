// Layers made ready for boxes: each as a directory (overlayfs) and as an erofs image (microVM).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace twinbox::image {

// A layer in both forms. The lock keeps it from being removed for as long as it is held.
struct Layer {
  std::filesystem::path directory;
  std::filesystem::path disk;
  base::Fd lock;
};

// When a layer was ready in either form (CLOCK_MONOTONIC, nanoseconds).
struct UnpackTimes {
  std::uint64_t directory = 0;
  std::uint64_t disk = 0;
};

class Layers {
 public:
  // `directory` holds one directory per layer, named by the digest of its uncompressed tar (its
  // diff id); `work` is for what is half made.
  Layers(std::filesystem::path directory, std::filesystem::path work)
      : directory_(std::move(directory)), work_(std::move(work)) {}

  // None where it is not unpacked.
  std::optional<Layer> find(std::string_view diff_id) const;
  // Unpacks the tar (compressed or not) at `blob`, checking that its content is `diff_id`'s, and
  // makes the erofs image; appears at once and whole.
  UnpackTimes unpack(std::string_view diff_id, const std::filesystem::path& blob);
  // Removes the layer; false while a box uses it.
  bool remove(std::string_view diff_id);
  void keep_only(const std::set<std::string>& used);

 private:
  std::filesystem::path path_of(std::string_view diff_id) const;

  std::filesystem::path directory_;
  std::filesystem::path work_;
};

}  // namespace twinbox::image
