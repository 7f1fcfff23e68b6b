// twinbox-vmm: one virtual machine, described by a JSON file, run to its end.
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/stamp.hpp"
#include "vmm/machine_config.hpp"
#include "vmm/monitor.hpp"

namespace {

using namespace twinbox;

constexpr int status_usage = 2;
constexpr std::string_view usage =
    R"(usage: twinbox-vmm --config-fd=N | --config=FILE [--cpu-counter=N]

Runs the virtual machine that the JSON file describes. It is started by twinbox; see `twinbox boot`
for a monitor to use by hand. With --cpu-counter=N its marks tell what the perf event N counts, too.

Exit status: 0 the guest powered off or reset; 2 this usage; 10 the machine could not be built;
11 triple fault; 12 the boot limit passed; 13 KVM failed; 14 an error of the monitor; 15 ended by a
signal.
)";

int descriptor_from(std::string_view number) {
  int fd = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fd);
  if (error != std::errc{} || end != number.data() + number.size() || fd < 0) {
    throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is no descriptor", number));
  }
  return fd;
}

std::string read_config_descriptor(std::string_view number) {
  const base::Fd owned(descriptor_from(number));
  return base::read_to_end(owned.get());
}

vmm::MachineConfig read_config(std::string_view argument) {
  constexpr std::string_view by_fd = "--config-fd=";
  constexpr std::string_view by_path = "--config=";
  if (argument.starts_with(by_fd)) {
    const auto text = read_config_descriptor(argument.substr(by_fd.size()));
    return vmm::machine_config_from_json(text, "the machine's configuration");
  }
  if (argument.starts_with(by_path)) {
    const std::string path(argument.substr(by_path.size()));
    return vmm::machine_config_from_json(base::read_file(path), path);
  }
  throw base::Error(base::ErrorKind::usage, fmt::format("unknown argument '{}'", argument));
}

// False after telling why not.
bool count_cpu(std::string_view argument) {
  constexpr std::string_view by_fd = "--cpu-counter=";
  try {
    if (!argument.starts_with(by_fd)) {
      throw base::Error(base::ErrorKind::usage, fmt::format("unknown argument '{}'", argument));
    }
    sandbox::count_cpu_with(descriptor_from(argument.substr(by_fd.size())));
    return true;
  } catch (const base::Error& error) {
    base::log(base::LogLevel::error, "{}", error.what());
    return false;
  }
}

int run(std::string_view argument, const sandbox::Stamp& entered) {
  vmm::MachineConfig config;
  try {
    config = read_config(argument);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::error, "{}", error.what());
    return status_usage;
  }
  vmm::Reporter reporter(config.report);
  reporter.mark(sandbox::Mark::entered, entered);
  const auto end = vmm::run_monitor(config, reporter);
  reporter.end(end);
  return vmm::exit_status(end.reason);
}

// The usual 8 MiB of a thread's stack invite a transparent huge page, 2 MiB of which a vCPU's
// thread touches a few kilobytes.
void keep_stacks_small() {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, 256 * 1024);
  ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
}

}  // namespace

int main(int argc, char** argv) {
  base::set_log_name("twinbox-vmm");
  if (argc == 3 && !count_cpu(argv[2])) return status_usage;
  const auto entered = sandbox::Stamp::now();
  // One heap for all threads: a second one would cost memory that a density of machines pays for.
  ::mallopt(M_ARENA_MAX, 1);
  keep_stacks_small();
  // A reader of the console or of the report that is gone is an error of a write, no reason to end.
  ::signal(SIGPIPE, SIG_IGN);
  const bool help = argc == 2 && std::string_view(argv[1]) == "--help";
  if (help || argc < 2 || argc > 3) {
    base::write_all(help ? STDOUT_FILENO : STDERR_FILENO, usage);
    return help ? 0 : status_usage;
  }
  return run(argv[1], entered);
}
