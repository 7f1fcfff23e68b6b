#include "cli/detach_keys.hpp"

#include <cctype>
#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"

namespace twinbox::cli {
namespace {

constexpr std::string_view default_keys = "ctrl-p,ctrl-q";

std::optional<char> key_byte(const std::string& key) {
  constexpr std::string_view control = "ctrl-";
  if (key.size() == 1) return key.front();
  if (!key.starts_with(control) || key.size() != control.size() + 1) return std::nullopt;
  const int upper = std::toupper(static_cast<unsigned char>(key.back()));
  // '@' is 0, 'A' is 1, ..., '_' is 31.
  if (upper < '@' || upper > '_') return std::nullopt;
  return static_cast<char>(upper - '@');
}

}  // namespace

std::string parse_detach_keys(std::string_view text) {
  std::string bytes;
  for (const auto& key : base::split(text.empty() ? default_keys : text, ',')) {
    const auto byte = key_byte(key);
    if (!byte) {
      throw base::Error(base::ErrorKind::usage, fmt::format("--detach-keys: '{}' is no key", key),
                        "give single characters or ctrl-LETTER, with commas between");
    }
    bytes += *byte;
  }
  return bytes;
}

DetachFilter::Typed DetachFilter::take(std::string_view typed) {
  Typed result;
  for (const char byte : typed) {
    held_ += byte;
    // What cannot become the keys any more is text; its rest may still begin them.
    while (!keys_.starts_with(held_)) {
      result.text += held_.front();
      held_.erase(0, 1);
    }
    if (held_ != keys_) continue;
    result.detach = true;
    return result;
  }
  return result;
}

}  // namespace twinbox::cli
