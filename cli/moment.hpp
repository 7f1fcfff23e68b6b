// Moments as --since and --until take them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace twinbox::cli {

// Nanoseconds since the epoch of "2026-01-31T08:00:00Z", "2026-01-31T08:00:00", "2026-01-31" (UTC),
// "1769846400.5", or "1h30m" before `now`; nullopt for an empty text. Throws base::Error (usage)
// that names `flag`.
std::optional<std::int64_t> moment(const std::string& text, std::string_view flag,
                                   std::int64_t now);

}  // namespace twinbox::cli
