// What looking an image up has found, so that the next box of it need not read, hash and parse the
// image's index, manifest and config again.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "image/config.hpp"

namespace twinbox::image {

struct FoundImage {
  std::string id;  // the config's digest
  ImageConfig config;
};

// The files that something was found in, each as it was before it was read.
class Witnesses {
 public:
  void add(const std::filesystem::path& file);
  // Whether all of them are as they were.
  bool unchanged() const;
  // Whether a change of one would show: a file's time of change has the grain of the kernel's
  // ticks, so one that has just been written could be written once more unnoticed.
  bool settled() const;

 private:
  friend class LookupCache;
  struct Witness {
    std::string file;
    std::array<std::uint64_t, 5> identity{};  // device, inode, size, time of change
  };
  std::vector<Witness> files_;
};

// A file per name of an image, which holds for as long as its witnesses are unchanged. Never an
// error: what cannot be read or written is looked up the long way.
class LookupCache {
 public:
  explicit LookupCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::optional<FoundImage> find(const std::string& name) const;
  void keep(const std::string& name, const FoundImage& image, const Witnesses& witnesses) const;
  void forget(const std::string& name) const;

 private:
  std::filesystem::path path_of(const std::string& name) const;

  std::filesystem::path directory_;
};

}  // namespace twinbox::image
