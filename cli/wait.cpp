// twinbox wait: until boxes end.
#include <fmt/format.h>

#include <cstdio>

#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/engines.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

int status_of_end(const supervise::BoxRecord& record) {
  // A supervisor that is still there may not have told all of the end.
  const bool over = !is_alive(record.state.status) && record.state.supervisor == 0;
  if (over) return record.state.exit_code;
  try {
    return ask_box<supervise::Ended>(record, [](auto& client, auto answer) { client.wait(answer); })
        .outcome.status;
  } catch (const base::Error&) {  // it ended before it could be asked, or was killed
    sweep_leftovers();
    const auto now = box_store().find(record.id);
    if (is_alive(now.state.status)) throw;
    return now.state.exit_code;
  }
}

}  // namespace

int wait(const Arguments& arguments) {
  Options options("wait BOX...", "Waits until boxes end, and prints their exit statuses.");
  const auto boxes = parse_boxes(options, arguments);
  if (!boxes) return 0;
  int status = 0;
  for (const auto& box : *boxes) {
    const auto done = tell_errors([&] {
      fmt::print("{}\n", status_of_end(box_store().find(box)));
      flush_output();
    });
    if (done != 0) status = done;
  }
  return status;
}

}  // namespace twinbox::cli
