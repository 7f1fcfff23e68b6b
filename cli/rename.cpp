// twinbox rename: another name for a box.
#include "base/error.hpp"
#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/verbs.hpp"
#include "supervise/events.hpp"

namespace twinbox::cli {
namespace {

void rename_box(const std::string& reference, const std::string& name) {
  auto store = box_store();
  const auto record = store.find(reference);
  if (is_alive(record.state.status)) {
    return tell_box(record, [&](auto& client, auto done) { client.rename(name, done); });
  }
  store.rename(record.id, name);
  supervise::emit(store.find(record.id), "rename", {{"oldName", "/" + record.name}});
}

}  // namespace

int rename(const Arguments& arguments) {
  Options options("rename BOX NAME", "Gives a box another name.");
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (words.size() != 2) {
    throw base::Error(base::ErrorKind::usage, "say which box, and its new name",
                      options.see_help());
  }
  return tell_errors([&] { rename_box(words[0], words[1]); });
}

}  // namespace twinbox::cli
