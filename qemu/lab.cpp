#include "qemu/lab.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "qemu/lab/command.hpp"
#include "qemu/lab/host_files.hpp"
#include "qemu/lab/image.hpp"
#include "qemu/lab/kept.hpp"
#include "qemu/lab/machine.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::qemu {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// Far more than a boot takes on an idle machine; several may be at work on a busy one.
constexpr auto boot_limit = seconds(240);

fs::path image_cache() { return sandbox::data_root() / "cache/lab"; }

LabContents contents_for(const std::vector<std::string>& with) {
  LabContents contents = standard_contents();
  for (const auto& extra : with) add_extra(contents, extra);
  return contents;
}

// Meaning the same in every directory.
std::vector<std::string> absolute(std::vector<std::string> extras) {
  for (auto& extra : extras) extra = fs::absolute(extra).string();
  return extras;
}

LabMachineConfig machine_for(const LabOptions& options, const LabImage& image) {
  const auto memory = options.memory_bytes.value_or(default_lab_memory(image.bytes));
  const auto least = least_lab_memory(image.bytes);
  if (memory < least) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} of memory are too little for the lab, whose files take {}",
                                  base::format_size(memory), base::format_size(image.bytes)),
                      fmt::format("give it {} or more", base::format_size(least)));
  }
  LabMachineConfig config;
  config.kernel = options.kernel;
  config.image = image.path;
  config.memory_bytes = memory;
  return config;
}

base::Fd log_in_memory() {
  base::Fd log(::memfd_create("log", MFD_CLOEXEC));
  if (!log) base::throw_errno("cannot make a file in memory");
  return log;
}

[[noreturn]] void fail_to_boot(int log) {
  throw base::Error(base::ErrorKind::system,
                    fmt::format("the lab has not come up within {} s; its last lines:\n{}",
                                boot_limit.count(), log_tail(log)),
                    "is the host very busy?");
}

int run_alone(LabMachineConfig config, const LabCommand& command) {
  const base::Fd log = log_in_memory();
  auto [ours, theirs] = base::make_socket_pair();
  config.log = log.get();
  config.ports = {{.name = "exec.0", .socket = theirs.get()}};
  const LabMachine machine(config);
  theirs.reset();
  const auto status = run_through_agent(std::move(ours), log.get(), command, boot_limit);
  if (!status) fail_to_boot(log.get());
  return *status;
}

// An agent that was left and found again in the same moment does not notice, and has nothing to say
// to whom it takes for the same host; left for a while, it does.
constexpr auto patience = seconds(10);
constexpr auto pause_between_tries = seconds(1);

int run_by_any_agent(const LabCommand& command, seconds first_limit) {
  const base::Fd log = base::open_file(kept_lab_directory() / "log", O_RDONLY);
  const AgentLease agent = lease_agent();
  const auto end = std::chrono::steady_clock::now() + boot_limit;
  auto limit = first_limit;
  do {
    if (auto socket = agent.connect()) {
      const auto status = run_through_agent(std::move(socket), log.get(), command, limit);
      if (status) return *status;
    }
    std::this_thread::sleep_for(pause_between_tries);
    limit = patience;
  } while (std::chrono::steady_clock::now() < end);
  fail_to_boot(log.get());
}

int run_in_kept_lab(const LabCommand& command, seconds first_limit = patience) {
  try {
    return run_by_any_agent(command, first_limit);
  } catch (const base::Error& error) {
    if (find_kept_lab()) throw;
    throw base::Error(error.kind(), fmt::format("the lab has ended meanwhile: {}", error.message()),
                      "if nobody stopped it, start it again: twinbox lab start");
  }
}

// The kept lab, if a command with these options may run in it.
std::optional<KeptLab> suitable_kept_lab(const LabOptions& options) {
  auto lab = find_kept_lab();
  if (!lab) return std::nullopt;
  if (options.memory_bytes && *options.memory_bytes != lab->memory_bytes) return std::nullopt;
  for (const auto& extra : absolute(options.with)) {
    if (std::ranges::find(lab->with, extra) == lab->with.end()) return std::nullopt;
  }
  return lab;
}

// What the lab that runs was given and this host has no more. Such a lab cannot be compared with
// this host, nor made anew, but has all that it was given.
std::optional<std::string> lost_extra(const KeptLab& lab) {
  const auto lost = std::ranges::find_if_not(lab.with, extra_is_there);
  return lost == lab.with.end() ? std::nullopt : std::optional(*lost);
}

// False when the lab that runs holds something else than this host now, and cannot be replaced
// because commands run in it.
bool refresh(const LabOptions& options, const KeptLab& lab) {
  if (const auto lost = lost_extra(lab)) {
    fmt::print(
        stderr,
        "twinbox: {}, which the lab that runs was given, is gone from this host: the command "
        "gets that lab as it is, which may hold older programs; to end it: twinbox lab "
        "stop\n",
        *lost);
    return true;
  }
  if (contents_for(lab.with).digest() == lab.digest) return true;
  if (kept_lab_is_busy()) {
    fmt::print(stderr,
               "twinbox: the lab that runs holds other programs or images and is in use: this "
               "command gets a lab of its own\n");
    return false;
  }
  fmt::print(stderr,
             "twinbox: the lab that runs holds other programs or images and is started afresh\n");
  const auto memory = lab.default_memory ? std::nullopt : std::optional(lab.memory_bytes);
  lab_start({.kernel = options.kernel, .memory_bytes = memory, .with = lab.with});
  return true;
}

void wait_until_up() {
  const base::Fd null_fd = base::open_file("/dev/null", O_RDWR);
  run_in_kept_lab({.args = {"true"},
                   .env = lab_environment(LabTiming::wall_clock),
                   .out = {},
                   .stdio = {null_fd.get(), null_fd.get(), null_fd.get()}},
                  boot_limit);
}

}  // namespace

int lab_exec(const LabOptions& options, const LabExecution& execution) {
  const auto timing = execution.deterministic ? LabTiming::deterministic : LabTiming::wall_clock;
  LabCommand command{
      .args = execution.args, .env = lab_environment(timing), .out = execution.out, .stdio = {}};
  if (!execution.guest_kernel.empty()) {
    command.env.push_back("TWINBOX_KERNEL=" + execution.guest_kernel);
  }
  if (!execution.deterministic) {
    const auto lab = suitable_kept_lab(options);
    if (lab && refresh(options, *lab)) return run_in_kept_lab(command);
  }
  auto config = machine_for(options, lab_image(contents_for(options.with), image_cache()));
  if (!execution.deterministic) return run_alone(std::move(config), command);
  const base::Fd log = log_in_memory();
  config.log = log.get();
  return run_deterministic(std::move(config), command);
}

void lab_start(const LabOptions& options) {
  {
    const base::Fd lock = lock_lab_start();
    const auto image = lab_image(contents_for(options.with), image_cache());
    auto config = machine_for(options, image);
    const KeptLab wanted{.supervisor = 0,
                         .digest = image.digest,
                         .memory_bytes = config.memory_bytes,
                         .default_memory = !options.memory_bytes,
                         .with = absolute(options.with)};
    if (const auto running = find_kept_lab()) {
      if (running->digest == wanted.digest && running->memory_bytes == wanted.memory_bytes) return;
      if (kept_lab_is_busy()) {
        throw base::Error(base::ErrorKind::conflict, "another lab runs, and commands in it",
                          "wait for them, or end it: twinbox lab stop");
      }
      end_kept_lab(*running);
    }
    check_lab_host(config);
    spawn_kept_lab(std::move(config), wanted);
  }
  wait_until_up();
  pass_on_warnings(kept_lab_directory() / "log");
}

bool lab_stop() {
  const base::Fd lock = lock_lab_start();
  const auto running = find_kept_lab();
  if (running) end_kept_lab(*running);
  return running.has_value();
}

std::optional<LabStatus> lab_status() {
  const auto lab = find_kept_lab();
  if (!lab) return std::nullopt;
  return LabStatus{lab->supervisor, lab->memory_bytes, kept_lab_directory() / "log"};
}

void clean_up_labs() {
  clean_up_kept_lab();
  clean_up_lab_images(image_cache());
}

}  // namespace twinbox::qemu
