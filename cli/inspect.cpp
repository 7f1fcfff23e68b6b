// twinbox inspect: all that is known of boxes and images.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "cli/each_box.hpp"
#include "cli/format.hpp"
#include "cli/inspect_box.hpp"
#include "cli/verbs.hpp"
#include "image/store.hpp"

namespace twinbox::cli {
namespace {

std::optional<base::Json> find_box(const std::string& reference) {
  const auto store = box_store();
  try {
    const auto record = store.find(reference);
    return describe(record, store.spec(record.id));
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

std::optional<base::Json> find_image(const std::string& reference) {
  image::Store store;
  const auto images = store.list();
  const auto found = std::ranges::find_if(images, [&](const image::ImageSummary& image) {
    return image.name == reference || image.id == reference;
  });
  if (found == images.end()) return std::nullopt;
  return describe(*found, store.prepare(found->name).config);
}

base::Json find(const std::string& reference, const std::string& type) {
  auto found = type == "image" ? std::nullopt : find_box(reference);
  if (!found && type != "container") found = find_image(reference);
  if (found) return std::move(*found);
  throw base::Error(base::ErrorKind::not_found,
                    fmt::format("no such {}: {}", type.empty() ? "box or image" : type, reference),
                    "see: twinbox ps -a, twinbox image ls");
}

}  // namespace

int inspect(const Arguments& arguments) {
  std::string format;
  std::string type;
  Options options("inspect [FLAGS] BOX|IMAGE...", "Shows all that is known of boxes and images.");
  options.value("format,f", "FORMAT", "json, or a Go template", format);
  options.value("type", "TYPE", "container or image only", type);
  const auto references = parse_boxes(options, arguments);
  if (!references) return 0;
  if (!type.empty() && type != "container" && type != "image") {
    throw base::Error(base::ErrorKind::usage, fmt::format("--type: '{}' is not known", type),
                      "container or image");
  }
  std::vector<base::Json> found;
  int status = 0;
  for (const auto& reference : *references) {
    const auto done = tell_errors([&] { found.push_back(find(reference, type)); });
    if (done != 0) status = done;
  }
  const auto printed = tell_errors([&] { fmt::print("{}", described_text(found, format)); });
  return printed != 0 ? printed : status;
}

}  // namespace twinbox::cli
