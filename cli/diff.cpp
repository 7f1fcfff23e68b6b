// twinbox diff: what a box has changed of its image's files.
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/box_changes.hpp"
#include "cli/each_box.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
int diff(const Arguments& arguments) {
  Options options("diff BOX",
                  "Lists the files that a box has added (A), changed (C) and deleted (D).");
  const auto boxes = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  require_one_box(boxes, options);
  return tell_errors([&] {
    for (const auto& change : changes_of(box_store().find(boxes.front()))) {
      fmt::print("{} {}\n", static_cast<char>(change.kind), base::printable(change.path));
    }
  });
}

}  // namespace twinbox::cli
