// twinbox rm: boxes with all that is left of them.
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/engines.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "supervise/events.hpp"

namespace twinbox::cli {
namespace {

void remove(supervise::OwnedBox box) {
  const auto last = box.record();
  box.remove();
  supervise::emit(last, "destroy");
}

void remove_at_rest(const supervise::BoxRecord& record) {
  supervise::require(supervise::Action::remove, record.state.status, record.name);
  auto box = box_store().own(record.id);
  // It may have been started meanwhile and ended again; owned it does not change any more.
  supervise::require(supervise::Action::remove, box.record().state.status, record.name);
  remove(std::move(box));
}

std::optional<supervise::OwnedBox> own_if_ended(const std::string& id) {
  try {
    return box_store().own(id);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::conflict) throw;
    return std::nullopt;
  }
}

void remove_by_force(const supervise::BoxRecord& record) {
  if (!is_alive(record.state.status)) return remove_at_rest(record);
  try {
    tell_box(record, [](auto& client, auto done) { client.remove(done); });
  } catch (const base::Error&) {
    sweep_leftovers();  // where its supervisor has just been killed
    // It ended by itself, or its record has no room to say so, unless somebody owns it.
    auto ended = own_if_ended(record.id);
    if (!ended) throw;
    remove(std::move(*ended));
  }
}

// As docker has it, what is not there needs no force.
bool is_missing(const std::string& reference) {
  try {
    box_store().find(reference);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::not_found) report(error);
    return error.kind() == base::ErrorKind::not_found;
  }
  return false;
}

}  // namespace

int rm(const Arguments& arguments) {
  bool force = false;
  bool volumes = false;
  Options options("rm [FLAGS] BOX...", "Removes boxes that do not run.");
  options.flag("force,f", "end those that run, with SIGKILL", force);
  options.flag("volumes,v", "with volumes of their own, of which there are none", volumes);
  auto boxes = parse_boxes(options, arguments);
  if (!boxes) return 0;
  if (force) std::erase_if(*boxes, is_missing);
  return for_each_box(*boxes, force ? remove_by_force : remove_at_rest);
}

}  // namespace twinbox::cli
