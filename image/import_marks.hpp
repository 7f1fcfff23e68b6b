// The moments of an import into the store, for whoever measures it (CLOCK_MONOTONIC, nanoseconds).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace twinbox::image {

struct ImportMarks {
  std::uint64_t stored = 0;  // the layer is packed, hashed and compressed, the image described
  // The layer is a directory, and a disk too; none of it where it was both before.
  std::optional<std::uint64_t> unpacked;
  std::optional<std::uint64_t> converted;

  // {"stored": 123, "unpacked": 456, "converted": 789}
  std::string to_json() const;
  // Throws base::Error naming `source` and the member that is wrong.
  static ImportMarks from_json(std::string_view text, std::string_view source);
};

}  // namespace twinbox::image
