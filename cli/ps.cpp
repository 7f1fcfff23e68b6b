// twinbox ps: the boxes of this host, from their records alone.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "cli/box_changes.hpp"
#include "cli/box_filter.hpp"
#include "cli/box_status.hpp"
#include "cli/boxes.hpp"
#include "cli/flag_values.hpp"
#include "cli/format.hpp"
#include "cli/format_units.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "image/store.hpp"
#include "supervise/time.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array columns{
    Column{"ID", "CONTAINER ID"},    Column{"Image", "IMAGE"},
    Column{"Command", "COMMAND"},    Column{"CreatedAt", "CREATED AT"},
    Column{"RunningFor", "CREATED"}, Column{"State", "STATE"},
    Column{"Status", "STATUS"},      Column{"Ports", "PORTS"},
    Column{"Engine", "ENGINE"},      Column{"Names", "NAMES"},
    Column{"Labels", "LABELS"},      Column{"Size", "SIZE"},
};
constexpr std::string_view standard =
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Engine}}\t"
    "{{.Names}}";
constexpr std::string_view with_size = "\t{{.Size}}";
constexpr std::size_t command_length = 20;

struct PsFlags {
  bool all = false;
  bool quiet = false;
  bool latest = false;
  bool whole = false;
  bool size = false;
  std::string last;
  std::vector<std::string> filters;
  std::string format;
};

std::string label_text(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  }
  return text;
}

std::string command_text(const std::vector<std::string>& command, bool whole) {
  const auto text = fmt::format("{}", fmt::join(command, " "));
  return fmt::format("\"{}\"", whole ? text : ellipsis(text, command_length));
}

base::Json row_of(const supervise::BoxRecord& record, std::int64_t now, bool whole) {
  const auto& [id, name, settings, state] = record;
  return {{"ID", id},
          {"Image", settings.image},
          {"Command", command_text(settings.command, whole)},
          {"CreatedAt", date_and_time(state.created)},
          {"RunningFor", human_duration(now - state.created) + " ago"},
          {"State", to_string(state.status)},
          {"Status", status_text(state, now)},
          {"Ports", ""},
          {"Engine", settings.engine},
          {"Names", name},
          {"Labels", label_text(settings.labels)},
          {"Size", ""}};
}

// What it wrote, and that with its image.
std::string size_text(const supervise::BoxRecord& record,
                      const std::vector<image::ImageSummary>& images) {
  const auto written = written_bytes(record);
  const auto image = std::ranges::find(images, record.settings.image_id, &image::ImageSummary::id);
  const auto all = written + (image == images.end() ? 0 : image->size);
  return fmt::format("{} (virtual {})", human_size(static_cast<double>(written), 3),
                     human_size(static_cast<double>(all), 3));
}

std::vector<supervise::BoxRecord> selected(const PsFlags& flags) {
  const auto filters = parse_box_filters(flags.filters);
  const auto last = flags.latest ? 1 : whole_number(flags.last, "--last", -1).value_or(-1);
  const bool all =
      flags.all || last >= 0 || filters.contains("status") || filters.contains("exited");
  auto records = box_store().list();
  std::erase_if(records, [&](const supervise::BoxRecord& record) {
    return (!all && !is_alive(record.state.status)) || !matches(record, filters);
  });
  if (last >= 0 && records.size() > static_cast<std::size_t>(last)) {
    records.erase(records.begin() + last, records.end());
  }
  return records;
}

std::vector<base::Json> rows_of(const PsFlags& flags, bool with_sizes) {
  const auto now = supervise::now();
  const auto images = with_sizes ? image::Store().list() : std::vector<image::ImageSummary>();
  std::vector<base::Json> rows;
  for (const auto& record : selected(flags)) {
    rows.push_back(row_of(record, now, flags.whole));
    if (with_sizes) rows.back()["Size"] = size_text(record, images);
  }
  return rows;
}

}  // namespace

int ps(const Arguments& arguments) {
  PsFlags flags;
  Options options("ps [FLAGS]", "Lists the boxes that run.");
  options.flag("all,a", "those that do not run too", flags.all);
  options.flag("quiet,q", "only their ids", flags.quiet);
  options.value("last,n", "NUMBER", "the boxes made last, whatever their state", flags.last);
  options.flag("latest,l", "the box made last, whatever its state", flags.latest);
  options.flag("no-trunc", "whole commands", flags.whole);
  options.flag("size,s", "what they have written, and that with their images", flags.size);
  options.values("filter,f", "KEY=VALUE",
                 "by id, name, status, exited, label, ancestor (an image) or engine",
                 flags.filters);
  options.value("format", "FORMAT", "table, table TEMPLATE, json, or a Go template", flags.format);
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (!words.empty()) {
    throw base::Error(base::ErrorKind::usage, "ps takes no arguments", options.see_help());
  }
  const auto table = std::string(standard) + std::string(flags.size ? with_size : "");
  const RowFormat format(flags.quiet ? "{{.ID}}" : flags.format, columns, table);
  // Sizes take a look at all files of each box, so only where they are shown.
  const bool with_sizes = flags.size || flags.format.find(".Size") != std::string::npos;
  fmt::print("{}", format.render(rows_of(flags, with_sizes && !flags.quiet)));
  return 0;
}

}  // namespace twinbox::cli
