// Unpacks a tar stream that may come from anyone into a directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

#include "base/size.hpp"
#include "image/tree_writer.hpp"

namespace twinbox::image {

// Gives the next bytes of a stream, none at its end.
using Source = std::function<std::span<const std::byte>()>;

struct UnpackOptions {
  // What ".wh." entries become: overlayfs' own marks; or, for an archive with nothing under it,
  // nothing; or, for one that is no image's layer, files as others.
  enum class Whiteouts { overlay, drop, literal } whiteouts = Whiteouts::overlay;
  TreeRules tree = {};
  // A small archive can unpack to any size; these bounds stop it before the disk is full.
  std::uint64_t max_bytes = 64 * base::gibibyte;
  std::uint64_t max_entries = 4'000'000;
  // Of directories' names and of all extended attributes: what is kept in memory meanwhile.
  std::uint64_t max_attribute_bytes = 256 * base::mebibyte;
};

// Throws base::Error on anything that would leave `root`, on broken archives and past the bounds.
// What was unpacked until then stays for the caller to remove.
void unpack_tar(const Source& source, const std::filesystem::path& root,
                const UnpackOptions& options = {});

}  // namespace twinbox::image
