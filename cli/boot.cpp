// twinbox boot: any kernel in the microVM monitor, with its serial console on the terminal.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "cli/options.hpp"
#include "cli/raw_terminal.hpp"
#include "cli/verbs.hpp"
#include "sandbox/engine.hpp"
#include "vmm/boot/command_line.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/kvm/host_support.hpp"
#include "vmm/monitor_process.hpp"

namespace twinbox::cli {
namespace {

using base::Error;
using base::ErrorKind;

struct BootFlags {
  std::string kernel;
  std::string initrd;
  std::string command_line = vmm::linux_command_line(vmm::GuestConsole::serial);
  std::string append;
  std::string memory = "256m";
  std::string cpus = "1";
  std::vector<std::string> disks;
  bool allow_emulated_kvm = false;
  bool report = false;
};

void declare(Options& options, BootFlags& flags) {
  static const auto command_line =
      "the kernel's command line; default: '" + flags.command_line + "'";
  options.value("kernel", "FILE", "a vmlinux or a bzImage", flags.kernel);
  options.value("initrd", "FILE", "the initial file system", flags.initrd);
  options.value("cmdline", "STRING", command_line.c_str(), flags.command_line);
  options.value("append", "STRING", "more of the command line, after the default", flags.append);
  options.value("memory,m", "SIZE", "the machine's memory, for example 512m; default: 256m",
                flags.memory);
  options.value("cpus", "N", "processors, 1 to 8; default: 1", flags.cpus);
  options.values("disk", "FILE[:ro]", "a raw file as a disk (/dev/vda, vdb, ...)", flags.disks);
  options.flag("allow-emulated-kvm",
               "try it also where the processor has neither VT-x nor SVM: right for small "
               "integer-only guests, and no Linux",
               flags.allow_emulated_kvm);
  options.flag("report", "print the boot marks and exit counts on stderr at the end", flags.report);
}

unsigned parse_cpus(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > 8) {
    throw Error(ErrorKind::usage, fmt::format("--cpus: '{}' is no number from 1 to 8", text),
                "for example: --cpus 2");
  }
  return value;
}

vmm::DiskConfig parse_disk(std::string_view text) {
  constexpr std::string_view suffix = ":ro";
  const bool read_only = text.ends_with(suffix);
  if (read_only) text.remove_suffix(suffix.size());
  return {std::string(text), read_only};
}

vmm::MachineConfig machine_config(const BootFlags& flags) {
  vmm::MachineConfig config;
  config.kernel = vmm::prepare_kernel(flags.kernel).string();
  config.initrd = flags.initrd;
  config.command_line = flags.command_line;
  if (!flags.append.empty()) config.command_line += " " + flags.append;
  config.memory_bytes = base::parse_size(flags.memory, "--memory");
  config.cpus = parse_cpus(flags.cpus);
  for (const auto& disk : flags.disks) config.disks.push_back(parse_disk(disk));
  config.serial_in = STDIN_FILENO;
  config.serial_out = STDOUT_FILENO;
  return config;
}

void check_host(const BootFlags& flags) {
  const auto host = vmm::kvm::probe_host();
  if (flags.allow_emulated_kvm && host.runs_bare_metal()) return;
  vmm::kvm::require_linux_guests(host);
}

// Keys on their way from a raw terminal to the guest; Ctrl-A x ends the machine, as in QEMU.
class Keyboard {
 public:
  Keyboard(base::EventLoop& loop, int guest, std::function<void()> on_quit)
      : loop_(loop), guest_(guest), on_quit_(std::move(on_quit)) {
    loop_.add(STDIN_FILENO, EPOLLIN, [this](std::uint32_t) { pass_keys(); });
  }
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;
  ~Keyboard() { stop(); }

 private:
  static constexpr std::byte escape{0x01};  // Ctrl-A

  void pass_keys() {
    std::array<std::byte, 256> keys{};
    const auto count = base::read_some(STDIN_FILENO, keys).value_or(0);
    if (count == 0) return stop();
    for (const std::byte key : std::span(keys).first(count)) pass_key(key);
  }

  void pass_key(std::byte key) {
    if (!escaped_ && key == escape) {
      escaped_ = true;
      return;
    }
    if (escaped_ && key == std::byte{'x'}) return on_quit_();
    escaped_ = false;
    // A guest that does not read loses keys, not we our time.
    base::write_some(guest_, std::span(&key, 1));
  }

  void stop() {
    if (loop_.watches(STDIN_FILENO)) loop_.remove(STDIN_FILENO);
  }

  base::EventLoop& loop_;
  int guest_;
  std::function<void()> on_quit_;
  bool escaped_ = false;
};

void print_report(const vmm::MonitorReport& report) {
  fmt::print(stderr, "marks: {}\n", report.marks.to_json());
  for (const auto& [reason, count] : report.end->exits) {
    fmt::print(stderr, "exits: {} {}\n", count, reason);
  }
}

// Runs the machine to its end; `ended_by` tells of a signal that we got meanwhile.
class BootRun {
 public:
  explicit BootRun(vmm::MachineConfig config)
      : signals_(base::make_signalfd(std::array{SIGINT, SIGTERM, SIGHUP})) {
    loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { take_signal(); });
    base::Fd guests_input;
    if (terminal_.active()) {
      std::tie(guests_input, keys_) = base::make_pipe();
      base::set_nonblocking(keys_.get(), true);
      config.serial_in = guests_input.get();
      keyboard_.emplace(loop_, keys_.get(), [this] { quit(); });
      fmt::print(stderr, "(Ctrl-A x ends the machine)\n");
    }
    monitor_.emplace(loop_, std::move(config), [this](const vmm::MonitorReport& report) {
      report_ = report;
      loop_.stop();
    });
  }

  const vmm::MonitorReport& to_its_end() {
    while (!report_.end) loop_.run();
    return report_;
  }
  std::optional<int> ended_by() const { return ended_by_; }

  bool quit_by_key() const { return quit_by_key_; }

 private:
  void quit() {
    quit_by_key_ = true;
    monitor_->stop();
  }

  void take_signal() {
    signalfd_siginfo info{};
    base::read_some(signals_.get(), std::as_writable_bytes(std::span(&info, 1)));
    ended_by_ = static_cast<int>(info.ssi_signo);
    monitor_->stop();
  }

  RawTerminal terminal_{STDIN_FILENO};
  base::EventLoop loop_;
  base::Fd signals_;
  base::Fd keys_;
  std::optional<Keyboard> keyboard_;
  std::optional<vmm::MonitorProcess> monitor_;
  vmm::MonitorReport report_;
  std::optional<int> ended_by_;
  bool quit_by_key_ = false;
};

int run_machine(vmm::MachineConfig config, bool with_report) {
  vmm::MonitorReport report;
  std::optional<int> ended_by;
  bool quit_by_key = false;
  {
    BootRun run(std::move(config));
    report = run.to_its_end();
    ended_by = run.ended_by();
    quit_by_key = run.quit_by_key();
  }  // the terminal is itself again
  if (with_report) print_report(report);
  if (ended_by) return 128 + *ended_by;
  if (quit_by_key || report.end->clean()) return 0;
  throw Error(ErrorKind::system, report.end->message, report.end->hint);
}

}  // namespace

int boot(const Arguments& arguments) {
  BootFlags flags;
  Options options("boot --kernel FILE [flags]",
                  "Boots a kernel in a microVM with its serial console on the terminal.");
  declare(options, flags);
  const auto rest = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (!rest.empty() || flags.kernel.empty()) {
    throw Error(ErrorKind::usage,
                rest.empty() ? "boot needs --kernel FILE"
                             : fmt::format("boot takes no argument '{}'", rest.front()),
                options.see_help());
  }
  auto config = machine_config(flags);
  check_host(flags);
  return run_machine(std::move(config), flags.report);
}

}  // namespace twinbox::cli
