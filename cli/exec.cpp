// twinbox exec: a further process in a box that runs.
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "cli/boxes.hpp"
#include "cli/flag_values.hpp"
#include "cli/foreground.hpp"
#include "cli/options.hpp"
#include "cli/privileges.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "image/accounts.hpp"
#include "image/store.hpp"
#include "image/workload.hpp"

namespace twinbox::cli {
namespace {

struct ExecFlags {
  bool interactive = false;
  bool terminal = false;
  bool detach = false;
  bool privileged = false;
  std::string user;
  std::string working_directory;
  std::vector<std::string> env;
  std::vector<std::string> env_files;
  std::string detach_keys;
};

void declare(ExecFlags& flags, Options& options) {
  options.flag("interactive,i", "give it this command's standard input", flags.interactive);
  options.flag("tty,t", "give it a terminal", flags.terminal);
  options.flag("detach,d", "leave it to itself once it runs", flags.detach);
  options.flag("privileged", "give it all capabilities", flags.privileged);
  options.value("user,u", "UID[:GID]", "user and group; default: the box's", flags.user);
  options.value("workdir,w", "DIR", "working directory; default: the box's",
                flags.working_directory);
  options.values("env,e", "KEY=VALUE", "set a variable; KEY alone takes the caller's", flags.env);
  options.values("env-file", "FILE", "variables, a line each", flags.env_files);
  options.value("detach-keys", "KEYS", "leave its terminal; default ctrl-p,ctrl-q",
                flags.detach_keys);
}

void set_user(const std::string& user, const supervise::BoxRecord& record,
              sandbox::Process& process) {
  if (user.empty()) return;
  const auto image = image::Store().prepare(record.settings.image, record.settings.image_id);
  const auto account = image::find_account(image.root.directories, user);
  process.user = account.user;
  image::set_variable(process.env, "HOME=" + account.home);
}

// The box's own process, but for what the flags say.
sandbox::Process make_process(const ExecFlags& flags, const supervise::BoxRecord& record,
                              const sandbox::Spec& spec, const Arguments& command) {
  auto process = spec.process;
  process.args = command;
  process.terminal = flags.terminal;
  process.terminal_size = flags.terminal ? terminal_size() : sandbox::TerminalSize{};
  set_user(flags.user, record, process);
  if (flags.privileged) {
    process.capabilities = changed_capabilities(process.capabilities, {"ALL"}, {});
  }
  if (flags.terminal) image::set_default_variable(process.env, "TERM=xterm");
  for (const auto& variable : variables_of_files(flags.env_files)) {
    image::set_variable(process.env, variable);
  }
  for (const auto& variable : variables(flags.env)) image::set_variable(process.env, variable);
  check_working_directory(flags.working_directory);
  if (!flags.working_directory.empty()) process.cwd = flags.working_directory;
  return process;
}

int exec_in(const supervise::BoxRecord& record, const ExecFlags& flags, const Arguments& command) {
  supervise::require(supervise::Action::exec, record.state.status, record.name);
  const auto store = box_store();
  auto process = make_process(flags, record, store.spec(record.id), command);
  const ForegroundOptions wanted{.input = flags.interactive && !flags.detach,
                                 .output = !flags.detach,
                                 .errors = !flags.detach,
                                 .terminal = flags.terminal,
                                 .signal_proxy = !flags.detach,
                                 .detach_keys = flags.detach_keys};
  check_foreground(wanted);
  base::EventLoop loop;
  const auto client = supervise::BoxClient::connect(loop, store, record);
  Foreground foreground(loop, wanted);
  bool runs = false;
  const auto stream = client->exec({.process = std::move(process),
                                    .task = {},
                                    .stdio = foreground.stdio(),
                                    .on_executed =
                                        [&] {
                                          runs = true;
                                          foreground.tell_size();
                                          loop.stop();
                                        },
                                    .on_exit = foreground.on_end()});
  foreground.follow(*client, stream);
  while (flags.detach && !runs && !foreground.ended()) loop.run();
  if (flags.detach && !foreground.ended()) return 0;
  return foreground.status_of_end();
}

}  // namespace

int exec(const Arguments& arguments) {
  ExecFlags flags;
  Options options("exec [FLAGS] BOX COMMAND...",
                  "Runs COMMAND in a running box and exits with its status.\n125: twinbox failed; "
                  "126: the command cannot be executed; 127: it is not there; 128+n: killed by "
                  "signal n.");
  declare(flags, options);
  auto words = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (words.size() < 2) {
    throw base::Error(base::ErrorKind::usage, "say which box, and what to run in it",
                      options.see_help());
  }
  const auto record = box_store().find(words.front());
  words.erase(words.begin());
  return exec_in(record, flags, words);
}

}  // namespace twinbox::cli
