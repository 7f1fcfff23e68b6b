// twinbox events: what happens to boxes.
#include "supervise/events.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "cli/box_filter.hpp"
#include "cli/each_box.hpp"
#include "cli/format.hpp"
#include "cli/moment.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "supervise/time.hpp"

namespace twinbox::cli {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::string attribute(const supervise::Event& event, const std::string& key) {
  const auto found = event.attributes.find(key);
  return found == event.attributes.end() ? "" : found->second;
}

base::Json actor_of(const supervise::Event& event) {
  return {{"ID", event.id}, {"Attributes", event.attributes}};
}

// As docker's own JSON has it.
base::Json json_of(const supervise::Event& event) {
  return {{"Type", "container"},      {"Action", event.action},
          {"Actor", actor_of(event)}, {"status", event.action},
          {"id", event.id},           {"from", attribute(event, "image")},
          {"scope", "local"},         {"time", event.time / second_ns},
          {"timeNano", event.time}};
}

// As its templates see it.
base::Json fields_of(const supervise::Event& event) {
  return {{"Type", "container"},      {"Action", event.action},
          {"Actor", actor_of(event)}, {"Status", event.action},
          {"ID", event.id},           {"From", attribute(event, "image")},
          {"Scope", "local"},         {"Time", event.time / second_ns},
          {"TimeNano", event.time}};
}

std::string line_of(const supervise::Event& event) {
  std::string attributes;
  for (const auto& [key, value] : event.attributes) {
    attributes += fmt::format("{}{}={}", attributes.empty() ? "" : ", ", key, value);
  }
  return fmt::format("{} container {} {} ({})", supervise::rfc3339(event.time), event.action,
                     event.id, attributes);
}

// Of a box, by its id or name as they are or were.
bool is_box(const supervise::Event& event, const Filters& filters) {
  const auto wanted = filters.find("container");
  if (wanted == filters.end()) return true;
  for (const auto& reference : wanted->second) {
    if (attribute(event, "name") == reference ||
        (!reference.empty() && event.id.starts_with(reference))) {
      return true;
    }
  }
  return false;
}

bool matches(const supervise::Event& event, const Filters& filters) {
  return is_box(event, filters) && is_wanted(filters, "event", event.action) &&
         is_wanted(filters, "image", attribute(event, "image")) &&
         is_wanted(filters, "engine", attribute(event, "engine")) &&
         is_wanted(filters, "type", "container") && has_labels(filters, event.attributes);
}

}  // namespace

int events(const Arguments& arguments) {
  std::string since;
  std::string until;
  std::string format;
  std::vector<std::string> given;
  Options options("events [FLAGS]", "Shows what happens to boxes, until it is interrupted.");
  options.value("since", "MOMENT", "from a time on, or from so long ago: 10m", since);
  options.value("until", "MOMENT", "up to a time, and no longer", until);
  options.values("filter,f", "KEY=VALUE", "by container, event, image, engine, label or type",
                 given);
  options.value("format", "FORMAT", "json, or a Go template", format);
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (!words.empty()) {
    throw base::Error(base::ErrorKind::usage, "events takes no arguments", options.see_help());
  }
  const auto filters =
      parse_filters(given, {"container", "event", "image", "engine", "label", "type"});
  const auto shape = format.empty() ? std::nullopt : std::optional(format_template(format));
  const auto now = supervise::now();
  // Those of now on, unless an earlier time is given.
  const supervise::EventQuery query{.since = moment(since, "--since", now).value_or(now),
                                    .until = moment(until, "--until", now)};
  return tell_errors([&] {
    supervise::read_events(query, [&](const supervise::Event& event) {
      if (!matches(event, filters)) return;
      fmt::print("{}\n", shape ? shape->render(format == "json" ? json_of(event) : fields_of(event))
                               : line_of(event));
      flush_output_or_end();
    });
  });
}

}  // namespace twinbox::cli
