// twinbox lab: commands on an emulated host with hardware virtualization.
#include "qemu/lab.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include "base/error.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "guest-images/guest_kernel.hpp"
#include "qemu/lab/transfer.hpp"
#include "sandbox/paths.hpp"
#include "vmm/boot/kernel_image.hpp"

namespace twinbox::cli {
namespace {

constexpr int not_running = 1;

struct LabFlags {
  std::string memory;
  std::vector<std::string> with;

  void declare(Options& options) {
    options.value("memory", "SIZE", "the lab's memory; default: enough for its files and boxes",
                  memory);
    options.values("with", "PATH[:TARGET]",
                   "put a program (with its libraries), file or directory into the lab, as TARGET "
                   "or under the same path",
                   with);
  }
  qemu::LabOptions resolve() const {
    const auto stock = sandbox::data_root() / "kernels/stock/vmlinuz";
    if (!std::filesystem::exists(stock)) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("there is no kernel for the lab at {}", stock.string()),
                        "run guest-images/fetch-kernel, or scripts/quickstart");
    }
    qemu::LabOptions options;
    options.kernel = vmm::prepare_kernel(stock);
    if (!memory.empty()) options.memory_bytes = base::parse_size(memory, "--memory");
    options.with = with;
    return options;
  }
};

// A machine of the lab ends with this process, by the same means.
void end_with(std::string_view parent) {
  const auto pid = base::parse_number<pid_t>(parent);
  if (!pid || *pid <= 0) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--die-with-parent: '{}' is no process id", parent));
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // It died before the call, maybe before this program began: only its own number tells.
  if (::getppid() != *pid) ::_exit(1);
}

int exec_in_lab(const Arguments& arguments) {
  LabFlags flags;
  qemu::LabExecution execution;
  std::string out;
  std::string kernel;
  std::string parent;
  Options options("lab exec [flags] -- COMMAND...",
                  "Runs COMMAND in the lab: the one that is kept running, or one of its own.");
  flags.declare(options);
  options.flag("deterministic",
               "in a machine of its own whose time is the count of instructions; stdin is empty",
               execution.deterministic);
  options.value("die-with-parent", "PID",
                "end when the process that has started this one, and has this id, does", parent);
  options.value("kernel", "stock|tuned|FILE",
                "the default kernel of the machines that COMMAND starts there", kernel);
  options.value("out", "DIR", "brings what the command writes to /out back to DIR", out);
  execution.args = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (execution.args.empty()) {
    throw base::Error(base::ErrorKind::usage, "there is no command to run in the lab",
                      options.see_help());
  }
  if (!parent.empty()) end_with(parent);
  if (!out.empty()) {
    qemu::make_writable_directory(out);
    execution.out = out;
  }
  execution.guest_kernel = guest_images::checked_kernel_choice(kernel);
  if (execution.guest_kernel.starts_with('/')) flags.with.push_back(execution.guest_kernel);
  return qemu::lab_exec(flags.resolve(), execution);
}

int start_lab(const Arguments& arguments) {
  LabFlags flags;
  Options options("lab start [flags]", "Keeps a lab running until twinbox lab stop.");
  flags.declare(options);
  const auto rest = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (!rest.empty()) {
    throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is too much", rest.front()),
                      options.see_help());
  }
  qemu::lab_start(flags.resolve());
  return 0;
}

// True where there is nothing more to do than to show the help.
bool shows_help_only(const char* usage, const char* purpose, const Arguments& arguments) {
  Options options(usage, purpose);
  const auto rest = options.parse(arguments);
  if (!options.help_shown() && !rest.empty()) {
    throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is too much", rest.front()),
                      options.see_help());
  }
  return options.help_shown();
}

int stop_lab(const Arguments& arguments) {
  if (shows_help_only("lab stop", "Ends the lab that is kept running.", arguments)) return 0;
  if (!qemu::lab_stop()) fmt::print(stderr, "twinbox: no lab is running\n");
  return 0;
}

int show_status(const Arguments& arguments) {
  if (shows_help_only("lab status",
                      "Says whether a lab is kept running; exits with 1 when none is.",
                      arguments)) {
    return 0;
  }
  const auto lab = qemu::lab_status();
  if (!lab) {
    fmt::print("not running\n");
    return not_running;
  }
  fmt::print("running: process {}, {} of memory, log {}\n", lab->supervisor,
             base::format_size(lab->memory_bytes), lab->log.string());
  return 0;
}

void print_help() {
  fmt::print(
      "Usage: twinbox lab exec|start|stop|status\n\n"
      "An emulated host that has hardware virtualization, for machines that have none.\n\n"
      "  exec     run a command there and exit with its status (see: twinbox lab exec --help)\n"
      "  start    keep a lab running, so that exec starts at once\n"
      "  stop     end it\n"
      "  status   say whether it runs; exit with {} when it does not\n",
      not_running);
}

}  // namespace

int lab(const Arguments& arguments) {
  const std::string action = arguments.empty() ? "" : arguments.front();
  const Arguments rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (action == "exec") return exec_in_lab(rest);
  if (action == "start") return start_lab(rest);
  if (action == "stop") return stop_lab(rest);
  if (action == "status") return show_status(rest);
  if (action == "--help" || action == "-h") {
    print_help();
    return 0;
  }
  throw base::Error(
      base::ErrorKind::usage,
      action.empty() ? "lab needs an action" : fmt::format("lab has no action '{}'", action),
      "see: twinbox help lab");
}

}  // namespace twinbox::cli
