// Moments as nanoseconds since the epoch, and their text in RFC 3339.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace twinbox::supervise {

std::int64_t now();
// "2026-01-31T08:00:00.123456789Z", always of this length.
std::string rfc3339(std::int64_t time);
// Also without a fraction or with a shorter one, and with an offset; nullopt for another text.
std::optional<std::int64_t> time_from_rfc3339(std::string_view text);

}  // namespace twinbox::supervise
