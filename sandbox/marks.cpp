#include "sandbox/marks.hpp"

#include "base/json.hpp"
#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

constexpr std::array<std::string_view, mark_count> names{
    "request", "entered", "created", "booted", "executed", "first_output", "ready", "gone"};

}  // namespace

std::string_view to_string(Mark mark) { return names[static_cast<std::size_t>(mark)]; }

void Marks::stamp(Mark mark) { stamp(mark, base::monotonic_now()); }

void Marks::stamp(Mark mark, std::uint64_t monotonic_ns) {
  auto& slot = stamps_[static_cast<std::size_t>(mark)];
  if (slot == 0) slot = monotonic_ns;
}

std::optional<std::uint64_t> Marks::at(Mark mark) const {
  const auto value = stamps_[static_cast<std::size_t>(mark)];
  return value == 0 ? std::nullopt : std::optional(value);
}

std::string Marks::to_json() const {
  base::Json json = base::Json::object();
  for (std::size_t i = 0; i < mark_count; ++i) {
    if (stamps_[i] != 0) json[std::string(names[i])] = stamps_[i];
  }
  return json.dump();
}

Marks Marks::from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const base::JsonView view(json, std::string(source));
  Marks marks;
  for (std::size_t i = 0; i < mark_count; ++i) {
    marks.stamps_[i] = view.get_or<std::uint64_t>(names[i], 0);
  }
  return marks;
}

}  // namespace twinbox::sandbox
