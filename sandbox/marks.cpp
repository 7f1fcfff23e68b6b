#include "sandbox/marks.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace twinbox::sandbox {
namespace {

constexpr std::array<std::string_view, mark_count> names{
    "request", "entered", "created", "booted", "executed", "first_output", "ready", "gone"};

}  // namespace

std::string_view to_string(Mark mark) { return names[static_cast<std::size_t>(mark)]; }

void Marks::stamp(Mark mark) { stamp(mark, Stamp::now()); }

void Marks::stamp(Mark mark, const Stamp& stamp) {
  auto& slot = stamps_[static_cast<std::size_t>(mark)];
  if (slot.monotonic_ns == 0) slot = stamp;
}

std::optional<Stamp> Marks::find(Mark mark) const {
  const auto& stamp = stamps_[static_cast<std::size_t>(mark)];
  return stamp.monotonic_ns == 0 ? std::nullopt : std::optional(stamp);
}

std::optional<std::uint64_t> Marks::at(Mark mark) const {
  const auto& stamp = stamps_[static_cast<std::size_t>(mark)];
  return stamp.monotonic_ns == 0 ? std::nullopt : std::optional(stamp.monotonic_ns);
}

std::optional<std::uint64_t> Marks::cpu_at(Mark mark) const {
  const auto& stamp = stamps_[static_cast<std::size_t>(mark)];
  return stamp.cpu_ns == 0 ? std::nullopt : std::optional(stamp.cpu_ns);
}

base::Json Marks::json() const {
  auto json = base::Json::object();
  for (std::size_t i = 0; i < mark_count; ++i) {
    const auto& stamp = stamps_[i];
    if (stamp.monotonic_ns != 0) json[std::string(names[i])] = stamp.monotonic_ns;
    if (stamp.cpu_ns != 0) json["cpu_ns"][std::string(names[i])] = stamp.cpu_ns;
  }
  return json;
}

std::string Marks::to_json() const { return json().dump(); }

Marks Marks::from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  return from(base::JsonView(json, std::string(source)));
}

Marks Marks::from(const base::JsonView& view) {
  const auto cpu = view.find("cpu_ns");
  Marks marks;
  for (std::size_t i = 0; i < mark_count; ++i) {
    marks.stamps_[i] = {.monotonic_ns = view.get_or<std::uint64_t>(names[i], 0),
                        .cpu_ns = cpu ? cpu->get_or<std::uint64_t>(names[i], 0) : 0};
  }
  return marks;
}

}  // namespace twinbox::sandbox
