// Request to workload on two monitors, side by side: twinbox-vmm and QEMU's microvm, with the same
// kernel, initramfs, command line, agent and disk. Runs where KVM is, so in the lab; there with
// --deterministic, where a nanosecond is an executed instruction.
//
// Usage: vm_vs_qemu [--rounds N] [--kernel stock|tuned|FILE] [--bar RATIO] [--append PARAMETERS]
//                   [--dump] [COMMAND...]
// Exits 1 when our median is more than RATIO of QEMU's. PARAMETERS go to the guest's kernel; --dump
// shows what COMMAND (default: true) wrote on our monitor, for example
// `--append initcall_debug --dump dmesg`.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"
#include "image/store.hpp"
#include "image/workload.hpp"
#include "sandbox/agent_session.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/monitor_process.hpp"

namespace twinbox {
namespace {

struct Settings {
  int rounds = 3;
  std::string kernel;
  double bar = 1;
  std::string append;
  bool dump = false;
  std::vector<std::string> command;
};

constexpr const char* agent_port = "twinbox.agent";

// What KVM has counted for the one machine that runs now; empty where its debugfs is not to be had.
std::string kvm_counters() {
  constexpr const char* debug = "/sys/kernel/debug";
  ::mount("debugfs", debug, "debugfs", 0, nullptr);  // or it is there already
  std::string text;
  for (const auto* const name :
       {"exits", "io_exits", "mmio_exits", "halt_exits", "irq_injections", "insn_emulation",
        "pf_taken", "pf_fixed", "pages_4k", "pages_2m"}) {
    std::error_code missing;
    const auto file = std::filesystem::path(debug) / "kvm" / name;
    if (!std::filesystem::exists(file, missing)) continue;
    auto value = base::read_file(file);
    value.erase(value.find_last_not_of('\n') + 1);
    text += fmt::format(" {} {}", name, value);
  }
  return text.empty() ? text : "  KVM:" + text + "\n";
}

// A machine that is running; ends with the object.
class Machine {
 public:
  virtual ~Machine() = default;
  // Ends it and tells how its boot went, times from `request`; empty where nothing is known.
  virtual std::string account(std::uint64_t request) {
    static_cast<void>(request);
    return {};
  }
};

class OurMachine : public Machine {
 public:
  OurMachine(base::EventLoop& loop, vmm::MachineConfig config, int port) : loop_(loop) {
    config.ports.push_back({.name = agent_port, .descriptor = port});
    monitor_.emplace(loop, std::move(config), [this](const vmm::MonitorReport& report) {
      report_ = report;
      loop_.stop();
    });
  }

  std::string account(std::uint64_t request) override {
    monitor_->stop();
    while (monitor_->running()) loop_.run_once(std::chrono::milliseconds(1000));
    std::string text = "twinbox-vmm, from the request:";
    for (const auto mark :
         {sandbox::Mark::entered, sandbox::Mark::created, sandbox::Mark::booted}) {
      if (const auto time = report_.marks.at(mark)) {
        text += fmt::format(" {} {:.3f} ms", to_string(mark),
                            static_cast<double>(*time - request) / 1e6);
      }
    }
    text += "\n  its exits until the agent ran:";
    if (report_.end) {
      for (const auto& [reason, number] : report_.end->exits_at_boot) {
        text += fmt::format(" {} {}", reason, number);
      }
    }
    return text + "\n";
  }

 private:
  base::EventLoop& loop_;
  vmm::MonitorReport report_;
  std::optional<vmm::MonitorProcess> monitor_;
};

// QEMU as those use it who want it fast: the machine type for it, no firmware tables or options
// that are not needed, no default devices, no legacy devices but the CMOS clock, whose absence
// costs a kernel with ACPI a second of waiting for it; the smallest firmware; the kernel as an ELF
// file (PVH).
std::vector<std::string> qemu_command(const vmm::MachineConfig& config, int port) {
  // Without the addresses of devices that are our monitor's. Where the kernel has to be told, QEMU
  // adds its own.
  bool told_of_devices = false;
  std::string command_line;
  for (const auto& word : base::words(config.command_line)) {
    const bool device = word.starts_with("virtio_mmio.device=");
    told_of_devices = told_of_devices || device;
    if (!device && !word.starts_with("twinbox.marks=")) command_line += word + " ";
  }
  std::vector<std::string> args{
      "qemu-system-x86_64",
      "-M",
      fmt::format("microvm,{},x-option-roms=off,pit=off,pic=off,isa-serial=off,accel=kvm",
                  told_of_devices ? "acpi=off,rtc=off,auto-kernel-cmdline=on"
                                  : "acpi=on,rtc=on,auto-kernel-cmdline=off"),
      "-cpu",
      "host,kvm-pv-eoi=off",  // as our monitor in the lab, see vmm/builder.cpp
      "-smp",
      std::to_string(config.cpus),
      "-m",
      fmt::format("{}M", config.memory_bytes / base::mebibyte),
      "-nodefaults",
      "-no-user-config",
      "-display",
      "none",
      "-no-reboot",
      "-bios",
      "qboot.rom",
      "-kernel",
      config.kernel,
      "-initrd",
      config.initrd,
      "-append",
      command_line,
      "-device",
      "virtio-serial-device",
      "-chardev",
      fmt::format("socket,id=agent,fd={}", port),
      "-device",
      fmt::format("virtserialport,chardev=agent,name={}", agent_port),
      "-device",
      "virtio-rng-device"};
  for (std::size_t i = 0; i < config.disks.size(); ++i) {
    args.insert(args.end(), {"-drive",
                             fmt::format("id=disk{},file={},format=raw,if=none,readonly=on", i,
                                         config.disks[i].path),
                             "-device", fmt::format("virtio-blk-device,drive=disk{}", i)});
  }
  return args;
}

class QemuMachine : public Machine {
 public:
  QemuMachine(const vmm::MachineConfig& config, int port) {
    auto args = qemu_command(config, port);
    std::vector<char*> argv;
    for (auto& argument : args) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) base::throw_errno("cannot start QEMU");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::fcntl(port, F_SETFD, 0);
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
  }
  QemuMachine(const QemuMachine&) = delete;
  QemuMachine& operator=(const QemuMachine&) = delete;
  ~QemuMachine() override {
    ::kill(pid_, SIGKILL);
    base::wait_for(pid_);
  }

 private:
  pid_t pid_ = -1;
};

using Start = std::function<std::unique_ptr<Machine>(base::EventLoop& loop, int port)>;

// Nanoseconds from the request until the agent has executed the workload.
std::uint64_t measure(const sandbox::Spec& spec, const vmm::MachineConfig& config,
                      const Start& start, int output, std::string& account) {
  base::EventLoop loop;
  const base::Fd null_fd = base::open_file("/dev/null", O_RDWR);
  const std::uint64_t request = base::monotonic_now();
  std::uint64_t executed = 0;
  std::string failure = "the workload was never executed";
  auto [ours, guests] = base::make_socket_pair();
  const auto machine = start(loop, guests.get());
  guests.reset();
  sandbox::AgentSession session(loop, std::move(ours), {.on_lost = [&](const base::Error& reason) {
                                  failure = reason.message();
                                  loop.stop();
                                }});
  sandbox::AgentBox box{.spec = spec, .disks = {}};
  for (std::size_t i = 0; i < config.disks.size(); ++i) {
    box.disks.push_back({.device = fmt::format("/dev/vd{}", static_cast<char>('a' + i))});
  }
  session.start_box(box, {.in = null_fd.get(), .out = output, .err = STDERR_FILENO},
                    {.on_started = [&] { executed = base::monotonic_now(); },
                     .on_end =
                         [&](const sandbox::Outcome& outcome) {
                           if (outcome.error) failure = outcome.error->message();
                           loop.stop();
                         }});
  loop.run();
  if (executed == 0) throw base::Error(base::ErrorKind::system, failure);
  account = kvm_counters();
  account = machine->account(request) + account;
  return executed - request;
}

double median_ms(std::vector<std::uint64_t> samples) {
  std::ranges::sort(samples);
  const auto middle = samples.size() / 2;
  const auto upper = static_cast<double>(samples[middle]);
  const auto lower = static_cast<double>(samples[samples.size() % 2 == 0 ? middle - 1 : middle]);
  return (upper + lower) / 2e6;
}

int run(const Settings& settings) {
  image::Store store;
  const auto image = store.prepare("busybox");
  sandbox::BoxRequest request;
  request.spec = image::make_workload(
      image, {.command = settings.command, .env = {}, .working_directory = {}, .user = {}});
  if (settings.dump) request.spec.process.capabilities.push_back("CAP_SYSLOG");  // for dmesg
  request.spec.vm.kernel = settings.kernel;
  request.spec.vm.kernel_parameters = settings.append;
  request.root = image.root;
  const auto config = vmm::plan_machine(request);  // without a template: both boot
  const base::Fd null_fd = base::open_file("/dev/null", O_RDWR);
  const std::array<Start, 2> monitors{
      [&](base::EventLoop& loop, int port) -> std::unique_ptr<Machine> {
        return std::make_unique<OurMachine>(loop, config, port);
      },
      [&](base::EventLoop&, int port) -> std::unique_ptr<Machine> {
        return std::make_unique<QemuMachine>(config, port);
      }};

  std::array<std::string, 2> accounts;
  std::array<std::vector<std::uint64_t>, 2> samples;
  for (int round = 0; round <= settings.rounds; ++round) {
    for (std::size_t which = 0; which < monitors.size(); ++which) {
      const bool shown = settings.dump && which == 0 && round == settings.rounds;
      const auto time = measure(request.spec, config, monitors[which],
                                shown ? STDOUT_FILENO : null_fd.get(), accounts[which]);
      if (round > 0) samples[which].push_back(time);  // the first of each warms the caches
    }
  }
  const double ours = median_ms(samples[0]);
  const double qemu = median_ms(samples[1]);
  fmt::print("request to workload, median of {} rounds:\n", settings.rounds);
  fmt::print("  twinbox-vmm   {:9.3f} ms\n  qemu microvm  {:9.3f} ms\n", ours, qemu);
  fmt::print("  ratio {:.3f} (at most {})\n", ours / qemu, settings.bar);
  fmt::print("{}qemu microvm:\n{}", accounts[0], accounts[1]);
  return ours <= settings.bar * qemu ? 0 : 1;
}

Settings settings_of(std::vector<std::string> words) {
  Settings settings;
  std::ranges::reverse(words);
  const auto next = [&] {
    if (words.empty()) throw base::Error(base::ErrorKind::usage, "the last flag needs a value");
    auto word = std::move(words.back());
    words.pop_back();
    return word;
  };
  while (!words.empty() && words.back().starts_with("--")) {
    const auto flag = next();
    if (flag == "--rounds")
      settings.rounds = std::max(1, std::stoi(next()));
    else if (flag == "--kernel")
      settings.kernel = next();
    else if (flag == "--bar")
      settings.bar = std::stod(next());
    else if (flag == "--append")
      settings.append = next();
    else if (flag == "--dump")
      settings.dump = true;
    else
      throw base::Error(base::ErrorKind::usage, fmt::format("unknown flag {}", flag));
  }
  settings.command.assign(words.rbegin(), words.rend());
  if (settings.command.empty()) settings.command = {"true"};
  return settings;
}

}  // namespace
}  // namespace twinbox

int main(int count, char** values) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return twinbox::run(twinbox::settings_of({values + 1, values + count}));
  } catch (const std::exception& error) {
    fmt::print(stderr, "vm_vs_qemu: {}\n", error.what());
    return 125;
  }
}
