// twinbox attach: the streams of a box that runs.
#include <string>

#include "base/error.hpp"
#include "cli/boxes.hpp"
#include "cli/foreground.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

struct AttachFlags {
  bool no_input = false;
  bool signal_proxy = true;
  std::string detach_keys;
};

int attach_to(const std::string& reference, const AttachFlags& flags) {
  const auto store = box_store();
  const auto record = store.find(reference);
  supervise::require(supervise::Action::attach, record.state.status, record.name);
  const ForegroundOptions wanted{.input = record.settings.open_stdin && !flags.no_input,
                                 .terminal = store.spec(record.id).process.terminal,
                                 .signal_proxy = flags.signal_proxy,
                                 .detach_keys = flags.detach_keys};
  check_foreground(wanted);
  base::EventLoop loop;
  const auto client = supervise::BoxClient::connect(loop, store, record);
  Foreground foreground(loop, wanted);
  foreground.follow(*client, client->attach(foreground.stdio(), foreground.on_end()));
  foreground.tell_size();
  return foreground.status_of_end();
}

}  // namespace

int attach(const Arguments& arguments) {
  AttachFlags flags;
  Options options("attach [FLAGS] BOX",
                  "Shows what a running box prints, gives it what is typed, and exits with its "
                  "status.");
  options.flag("no-stdin", "leave its standard input alone", flags.no_input);
  options.flag("sig-proxy", "pass signals on to the box, unless it has a terminal; default true",
               flags.signal_proxy);
  options.value("detach-keys", "KEYS", "leave a terminal's box; default ctrl-p,ctrl-q",
                flags.detach_keys);
  const auto references = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (references.size() != 1) {
    throw base::Error(base::ErrorKind::usage, "say which box, and no more", options.see_help());
  }
  return attach_to(references.front(), flags);
}

}  // namespace twinbox::cli
