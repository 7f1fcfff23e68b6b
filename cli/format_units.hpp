// Durations, sizes and moments as docker shows them.
#pragma once

#include <cstdint>
#include <string>

namespace twinbox::cli {

// "Less than a second", "5 minutes", "About an hour", of nanoseconds.
std::string human_duration(std::int64_t duration);
// Powers of 1000 with up to `digits` digits: "1.25kB".
std::string human_size(double bytes, int digits = 4);
// Powers of 1024: "1.5MiB".
std::string binary_size(double bytes);
// "2026-01-31 08:00:00 +0000 UTC", of nanoseconds since the epoch.
std::string date_and_time(std::int64_t time);
// At most `length` characters, the last one an ellipsis where some are missing.
std::string ellipsis(const std::string& text, std::size_t length);

}  // namespace twinbox::cli
