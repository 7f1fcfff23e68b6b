// twinbox start: boxes that were made, or have ended.
#include <fmt/format.h>

#include <string>

#include "base/error.hpp"
#include "cli/boxes.hpp"
#include "cli/engines.hpp"
#include "cli/launch.hpp"
#include "cli/new_box.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

struct StartFlags {
  bool attach = false;
  bool interactive = false;
  bool signal_proxy = true;
  std::string detach_keys;

  bool stays() const { return attach || interactive; }
};

int start_box(const std::string& reference, const StartFlags& flags) {
  const auto store = box_store();
  const auto record = store.find(reference);
  supervise::require(supervise::Action::start, record.state.status, record.name);
  const ForegroundOptions foreground{.input = flags.interactive && record.settings.open_stdin,
                                     .output = flags.stays(),
                                     .errors = flags.stays(),
                                     .terminal = store.spec(record.id).process.terminal,
                                     .signal_proxy = flags.signal_proxy && flags.stays(),
                                     .detach_keys = flags.detach_keys};
  check_foreground(foreground);
  LaunchOptions options{.foreground = foreground, .detach = !flags.stays()};
  options.on_started = [&](const supervise::Started&) {
    if (!flags.stays()) fmt::print("{}\n", reference);
  };
  return launch(launch_request(record), options);
}

int start_boxes(const Arguments& references, const StartFlags& flags) {
  int status = 0;
  for (const auto& reference : references) {
    try {
      if (start_box(reference, flags) != 0) status = 1;
    } catch (const base::Error& error) {
      report(error);
      status = 1;
    }
  }
  return status;
}

}  // namespace

int start(const Arguments& arguments) {
  StartFlags flags;
  Options options("start [FLAGS] BOX...", "Starts boxes that do not run.");
  options.flag("attach,a", "show what it prints, pass signals on, and exit with its status",
               flags.attach);
  options.flag("interactive,i", "give it this command's standard input", flags.interactive);
  options.flag("sig-proxy", "pass signals on to the box, unless it has a terminal; default true",
               flags.signal_proxy);
  options.value("detach-keys", "KEYS", "leave a terminal's box; default ctrl-p,ctrl-q",
                flags.detach_keys);
  const auto references = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (references.empty()) {
    throw base::Error(base::ErrorKind::usage, "say which box", options.see_help());
  }
  load_engines_of(references);
  if (!flags.stays()) return start_boxes(references, flags);
  if (references.size() > 1) {
    throw base::Error(base::ErrorKind::usage, "only one box can be attached to",
                      "leave -a and -i away, or name one box");
  }
  return start_box(references.front(), flags);
}

}  // namespace twinbox::cli
