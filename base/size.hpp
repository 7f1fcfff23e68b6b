// Sizes as people write them: "128m", "1g", "4096".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace twinbox::base {

inline constexpr std::uint64_t kibibyte = 1024;
inline constexpr std::uint64_t mebibyte = 1024 * kibibyte;
inline constexpr std::uint64_t gibibyte = 1024 * mebibyte;

// Bytes from a number with an optional unit b, k, m, g, t (powers of 1024, either case, a further
// "b" or "ib" allowed). A usage error names `what`.
std::uint64_t parse_size(std::string_view text, std::string_view what);

// "512 B", "1.8 MiB".
std::string format_size(std::uint64_t bytes);

}  // namespace twinbox::base
