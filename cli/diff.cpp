// twinbox diff: what a box has changed of its image's files.
#include <fmt/format.h>

#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/stopped_box.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

std::vector<sandbox::FileChange> changes_of(const supervise::BoxRecord& record) {
  if (!is_alive(record.state.status)) {
    const StoppedFiles files(record);
    return files.engine().list_changes(files.box());
  }
  return ask_box<std::vector<sandbox::FileChange>>(
      record, [](auto& client, auto answer) { client.list_changes(answer); });
}

}  // namespace

int diff(const Arguments& arguments) {
  Options options("diff BOX",
                  "Lists the files that a box has added (A), changed (C) and deleted (D).");
  const auto boxes = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  require_one_box(boxes, options);
  return tell_errors([&] {
    for (const auto& change : changes_of(box_store().find(boxes.front()))) {
      fmt::print("{} {}\n", static_cast<char>(change.kind), change.path);
    }
  });
}

}  // namespace twinbox::cli
