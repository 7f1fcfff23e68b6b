// twinbox pause, unpause: boxes that stand still for a while.
#include "cli/each_box.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {

int pause(const Arguments& arguments) {
  Options options("pause BOX...", "Lets all processes of running boxes stand still.");
  const auto boxes = parse_boxes(options, arguments);
  if (!boxes) return 0;
  return for_each_box(*boxes, [](const supervise::BoxRecord& record) {
    supervise::require(supervise::Action::pause, record.state.status, record.name);
    tell_box(record, [](auto& client, auto done) { client.pause(done); });
  });
}

int unpause(const Arguments& arguments) {
  Options options("unpause BOX...", "Lets paused boxes go on.");
  const auto boxes = parse_boxes(options, arguments);
  if (!boxes) return 0;
  return for_each_box(*boxes, [](const supervise::BoxRecord& record) {
    supervise::require(supervise::Action::unpause, record.state.status, record.name);
    tell_box(record, [](auto& client, auto done) { client.unpause(done); });
  });
}

}  // namespace twinbox::cli
