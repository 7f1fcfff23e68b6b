#include "image/import_marks.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace twinbox::image {

std::string ImportMarks::to_json() const {
  base::Json json{{"stored", stored}};
  if (unpacked) json["unpacked"] = *unpacked;
  if (converted) json["converted"] = *converted;
  return json.dump();
}

ImportMarks ImportMarks::from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const base::JsonView view(json, std::string(source));
  ImportMarks marks{.stored = view.get<std::uint64_t>("stored"), .unpacked = {}, .converted = {}};
  if (const auto at = view.find("unpacked")) marks.unpacked = at->as<std::uint64_t>();
  if (const auto at = view.find("converted")) marks.converted = at->as<std::uint64_t>();
  return marks;
}

}  // namespace twinbox::image
