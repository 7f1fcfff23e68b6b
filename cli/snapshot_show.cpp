// twinbox snapshot ls, inspect.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "cli/each_box.hpp"
#include "cli/format.hpp"
#include "cli/format_units.hpp"
#include "cli/inspect_box.hpp"
#include "cli/options.hpp"
#include "cli/snapshot.hpp"
#include "sandbox/machine_size.hpp"
#include "supervise/snapshot_store.hpp"
#include "supervise/time.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array columns{
    Column{"Name", "NAME"},
    Column{"ID", "SNAPSHOT ID"},
    Column{"Box", "BOX"},
    Column{"Image", "IMAGE"},
    Column{"Memory", "MEMORY"},
    Column{"CPUs", "CPUS"},
    Column{"CreatedAt", "CREATED AT"},
    Column{"CreatedSince", "CREATED"},
    Column{"Size", "SIZE"},
};
constexpr std::string_view standard =
    "{{.Name}}\t{{.ID}}\t{{.Box}}\t{{.Image}}\t{{.Memory}}\t{{.CreatedSince}}\t{{.Size}}";

std::string size_text(std::uint64_t bytes) { return human_size(static_cast<double>(bytes), 3); }

base::Json row_of(const supervise::SnapshotRecord& snapshot, std::int64_t now) {
  const auto size = sandbox::machine_size(snapshot.spec.resources);
  return {{"Name", snapshot.name},
          {"ID", snapshot.id},
          {"Box", snapshot.box.name},
          {"Image", snapshot.box.settings.image},
          {"Memory", size_text(size.memory_bytes)},
          {"CPUs", std::to_string(size.cpus)},
          {"CreatedAt", date_and_time(snapshot.created)},
          {"CreatedSince", human_duration(now - snapshot.created) + " ago"},
          {"Size", size_text(supervise::SnapshotStore().size(snapshot.name))}};
}

base::Json describe_snapshot(const supervise::SnapshotRecord& snapshot) {
  const supervise::SnapshotStore snapshots;
  const auto size = sandbox::machine_size(snapshot.spec.resources);
  // What the box was like then; it may be gone.
  auto box = describe(snapshot.box, snapshot.spec);
  for (const auto* const key : {"State", "MachineMemory"}) box.erase(key);
  return {{"Id", snapshot.id},
          {"Name", snapshot.name},
          {"Created", supervise::rfc3339(snapshot.created)},
          {"Path", snapshots.directory(snapshot.name).string()},
          {"Size", snapshots.size(snapshot.name)},
          {"Memory", size.memory_bytes},
          {"Cpus", size.cpus},
          {"Image", snapshot.box.settings.image},
          {"ImageId", snapshot.box.settings.image_id},
          {"Box", std::move(box)}};
}

}  // namespace

int list_snapshots(const Arguments& arguments) {
  bool quiet = false;
  std::string format_text;
  Options options("snapshot ls [FLAGS]", "Lists the snapshots.");
  options.flag("quiet,q", "only their names", quiet);
  options.value("format", "FORMAT", "table, table TEMPLATE, json, or a Go template", format_text);
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (!words.empty()) {
    throw base::Error(base::ErrorKind::usage, "snapshot ls takes no arguments", options.see_help());
  }
  const RowFormat format(quiet ? "{{.Name}}" : format_text, columns, standard);
  std::vector<base::Json> rows;
  for (const auto& snapshot : supervise::SnapshotStore().list()) {
    rows.push_back(row_of(snapshot, supervise::now()));
  }
  fmt::print("{}", format.render(rows));
  return 0;
}

int inspect_snapshots(const Arguments& arguments) {
  std::string format;
  Options options("snapshot inspect [FLAGS] NAME...", "Shows all that is known of snapshots.");
  options.value("format,f", "FORMAT", "json, or a Go template", format);
  const auto names = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (names.empty()) {
    throw base::Error(base::ErrorKind::usage, "say which snapshot", options.see_help());
  }
  std::vector<base::Json> found;
  int status = 0;
  for (const auto& name : names) {
    const auto done = tell_errors(
        [&] { found.push_back(describe_snapshot(supervise::SnapshotStore().find(name))); });
    if (done != 0) status = done;
  }
  const auto printed = tell_errors([&] { fmt::print("{}", described_text(found, format)); });
  return printed != 0 ? printed : status;
}

}  // namespace twinbox::cli
