// twinbox snapshot: create, ls, inspect, rm, prune.
#include "cli/snapshot.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/size.hpp"
#include "cli/each_box.hpp"
#include "cli/options.hpp"
#include "cli/verb_family.hpp"
#include "cli/verbs.hpp"
#include "supervise/snapshot_store.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::cli {
namespace {

void create(const std::string& reference, const std::string& name) {
  const auto store = box_store();
  const auto box = store.find(reference);
  const supervise::SnapshotStore snapshots;
  snapshots.check_new(name);
  supervise::require(supervise::Action::save, box.state.status, box.name);
  supervise::SnapshotRecord record{
      .id = {}, .name = name, .created = 0, .box = box, .spec = store.spec(box.id)};
  record.box.state.pid = record.box.state.supervisor = 0;  // of that box, and not of what is kept
  const auto save = [&](const std::filesystem::path& directory) {
    tell_box(box, [&](auto& client, auto done) { client.save(directory, done); });
  };
  fmt::print("{}\n", snapshots.create(std::move(record), save).id);
}

int create_snapshot(const Arguments& arguments) {
  Options options(
      "snapshot create BOX NAME",
      "Saves a running machine with its workload, which goes on. Any number of boxes go "
      "on from\nthere too: twinbox run --from NAME. Prints the snapshot's id.");
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (words.size() != 2) {
    throw base::Error(base::ErrorKind::usage, "say which box, and a name for the snapshot",
                      options.see_help());
  }
  return tell_errors([&] { create(words[0], words[1]); });
}

// A box that does not run goes on from it at its next start.
void check_unused(const supervise::SnapshotStore& snapshots, const std::string& name) {
  const auto record = snapshots.find_readable(name);
  for (const auto& box : box_store().list()) {
    const auto& used = box.settings;
    if (record ? used.snapshot_id != record->id : used.snapshot != name) continue;
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("box {} is using the snapshot '{}'", box.name, name),
                      fmt::format("remove it first: twinbox rm {}", box.name));
  }
}

int remove_snapshots(const Arguments& arguments) {
  Options options("snapshot rm NAME...", "Removes snapshots that no box was made of.");
  const auto names = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (names.empty()) {
    throw base::Error(base::ErrorKind::usage, "say which snapshot", options.see_help());
  }
  int status = 0;
  for (const auto& name : names) {
    const auto done = tell_errors([&] {
      const supervise::SnapshotStore snapshots;
      check_unused(snapshots, name);
      snapshots.remove(name);
      fmt::print("{}\n", name);
    });
    if (done != 0) status = done;
  }
  return status;
}

int prune_templates(const Arguments& arguments) {
  Options options(
      "snapshot prune",
      "Removes the templates that machines start warm from, and the copies of layers that no "
      "machine\nuses. Templates are made again when the next machine of their kind starts, "
      "copies once a layer\nhas been read; machines that run keep what they have of them.");
  const auto words = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (!words.empty()) {
    throw base::Error(base::ErrorKind::usage, "snapshot prune takes no arguments",
                      options.see_help());
  }
  fmt::print("freed {}\n", base::format_size(vmm::prune_templates(vmm::templates_directory())));
  return 0;
}

constexpr std::array verbs{
    FamilyVerb{"create", "BOX NAME", "save a running machine, which goes on", create_snapshot},
    FamilyVerb{"ls", "", "list the snapshots", list_snapshots},
    FamilyVerb{"inspect", "NAME...", "show all that is known of snapshots", inspect_snapshots},
    FamilyVerb{"rm", "NAME...", "remove snapshots", remove_snapshots},
    FamilyVerb{"prune", "", "remove the templates that machines start warm from", prune_templates}};

}  // namespace

int snapshot(const Arguments& arguments) {
  return run_family("snapshot",
                    "Keeps running machines as they are, for boxes that go on from there: twinbox "
                    "run --from NAME.",
                    verbs, arguments);
}

}  // namespace twinbox::cli
