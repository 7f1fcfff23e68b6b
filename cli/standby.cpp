// twinbox standby: start, ls, stop.
#include "cli/standby.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "cli/engines.hpp"
#include "cli/flag_values.hpp"
#include "cli/options.hpp"
#include "cli/run_spec.hpp"
#include "cli/standby_record.hpp"
#include "cli/verb_family.hpp"
#include "image/store.hpp"
#include "sandbox/machine_size.hpp"
#include "sandbox/owned_directory.hpp"
#include "sandbox/peer_words.hpp"
#include "supervise/detached.hpp"
#include "supervise/time.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/standby_keeper.hpp"

namespace twinbox::cli {
namespace {

constexpr std::int64_t most_machines = 1000;

struct Wanted {
  image::PreparedImage image;
  std::function<vmm::WarmStart()> plan;
  std::filesystem::path place;
  StandbyRecord record;
};

Wanted plan(const RunOptions& run, std::size_t count) {
  if (base::log_level() == base::LogLevel::debug) {
    throw base::Error(base::ErrorKind::usage, "machines that wait show no console",
                      "leave TWINBOX_LOG=debug away");
  }
  make_engine("vm")->check_host();
  Wanted wanted{.image = image::Store().prepare(run.image), .plan = {}, .place = {}, .record = {}};
  sandbox::BoxRequest request;
  request.spec = make_spec(run, wanted.image);
  request.root = wanted.image.root;
  wanted.plan = [request] { return vmm::plan_warm_start(request); };
  wanted.place = vmm::standby_place(request);
  wanted.plan();  // an error of it is the command's
  const auto size = sandbox::machine_size(request.spec.resources);
  wanted.record = {.image = run.image,
                   .memory_bytes = size.memory_bytes,
                   .cpus = size.cpus,
                   .kernel = request.spec.vm.kernel,
                   .count = count,
                   .ready = 0,
                   .taken = 0,
                   .created = supervise::now()};
  return wanted;
}

// Nobody else gives machines away there. A sweep that comes between the making and the lock takes
// the directory for one that a killed keeper has left.
sandbox::OwnedDirectory own_place(const Wanted& wanted) {
  const auto& place = wanted.place;
  base::make_directories(place.parent_path());
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (::mkdir(place.c_str(), 0700) != 0 && errno != EEXIST) {
      base::throw_errno("cannot make directory {}", place.string());
    }
    if (auto owned = sandbox::OwnedDirectory::take(place)) return *std::move(owned);
    if (sandbox::owner_of(place)) break;
  }
  throw base::Error(
      base::ErrorKind::conflict, fmt::format("machines wait for '{}' already", wanted.record.image),
      fmt::format("stop them first: twinbox standby stop {}", place.filename().string()));
}

// The process behind `standby start`, which waits to be told whether the machines wait.
class Keeper {
 public:
  Keeper(Wanted wanted, base::Fd command)
      : wanted_(std::move(wanted)),
        command_(std::move(command)),
        signals_(base::make_signalfd(std::array{SIGTERM, SIGINT, SIGHUP})) {}

  void run() {
    auto place = own_place(wanted_);
    log_into(place.path() / "keeper.log");
    write_standby(place.path(), wanted_.record);
    loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { loop_.stop(); });
    vmm::StandbyKeeper keeper(
        loop_, wanted_.plan, wanted_.place, wanted_.image.root.disks.size(), wanted_.record.count,
        {.on_change = [this](auto ready, auto taken) { on_change(ready, taken); },
         .on_failure = [this](const base::Error& reason) { on_failure(reason); }});
    loop_.run();
    if (failure_) throw base::Error(*failure_);
  }

  // Why there are none.
  void refuse(const base::Error& error) noexcept {
    if (!command_) return;
    try {
      const base::Json json{{"kind", static_cast<int>(error.kind())},
                            {"message", error.message()},
                            {"hint", error.hint()}};
      const auto text = json.dump(-1, ' ', false, base::Json::error_handler_t::replace);
      base::write_all(command_.get(), std::string_view(text));
    } catch (const std::exception&) {
      // Nobody is there to hear it.
    }
  }

 private:
  static void log_into(const std::filesystem::path& file) {
    const auto log = base::open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log.get(), STDERR_FILENO);
  }

  void on_change(std::size_t ready, std::size_t taken) {
    wanted_.record.ready = ready;
    wanted_.record.taken = taken;
    try {
      write_standby(wanted_.place, wanted_.record);
    } catch (const base::Error& error) {  // only who lists them misses it
      base::log(base::LogLevel::warning, "{}", error.what());
    }
    if (ready != wanted_.record.count || !command_) return;
    try {
      base::write_all(command_.get(), std::string_view("{}"));
    } catch (const base::Error&) {
      // It does not wait any more.
    }
    command_.reset();
  }

  // The first time it is the command's matter.
  void on_failure(const base::Error& reason) {
    if (!command_) return log_once(reason);
    failure_ = reason;
    loop_.stop();
  }

  // What stays wrong does not fill the memory that the log is in.
  void log_once(const base::Error& reason) {
    if (std::exchange(logged_, reason.what()) == reason.what()) return;
    base::log(base::LogLevel::warning, "{}", reason.what());
  }

  Wanted wanted_;
  base::Fd command_;  // until it was told
  base::EventLoop loop_;
  base::Fd signals_;
  std::optional<base::Error> failure_;
  std::string logged_;
};

// The stack is worth no destructor but the keeper's.
[[noreturn]] void run_keeper(Wanted wanted, base::Fd command) noexcept {
  std::vector<int> kept{command.get()};
  for (const auto& lock : wanted.image.locks) kept.push_back(lock.get());
  std::optional<Keeper> keeper;
  try {
    supervise::leave_command(std::move(kept));
    ::signal(SIGPIPE, SIG_IGN);  // of a command that was interrupted
    keeper.emplace(std::move(wanted), std::move(command));
    keeper->run();
    ::_exit(0);
  } catch (const base::Error& error) {
    if (keeper) keeper->refuse(error);
  } catch (const std::exception& error) {
    if (keeper) keeper->refuse({base::ErrorKind::internal, error.what()});
  }
  ::_exit(1);
}

void launch_keeper(Wanted wanted) {
  auto [told, tells] = base::make_pipe();
  std::fflush(nullptr);  // or the new process would write it again
  const pid_t pid = ::fork();
  if (pid < 0) base::throw_errno("cannot start the keeper of machines");
  if (pid == 0) run_keeper(std::move(wanted), std::move(tells));
  tells.reset();
  const auto text = base::read_to_end(told.get());
  if (text == "{}") return;
  if (text.empty()) {
    throw base::Error(base::ErrorKind::system, "the keeper of machines has ended");
  }
  const auto json = base::parse_json(text, "the keeper of machines");
  throw sandbox::error_from(base::JsonView(json, "the keeper of machines"));
}

int start_standby(const Arguments& arguments) {
  RunOptions run;
  std::string count_text;
  Options options("standby start [FLAGS] IMAGE",
                  "Starts machines ahead that wait for IMAGE: twinbox run --as vm IMAGE takes one "
                  "where memory,\nCPUs and kernel are the same, and another is made for it. Each "
                  "takes some megabytes of this\nhost's memory until twinbox standby stop.");
  options.value("count,n", "N", "so many; default 1", count_text);
  options.value("memory,m", "SIZE", "their memory, as run has it", run.memory);
  options.value("cpus", "N", "their CPUs, as run has it", run.cpus);
  options.value("kernel", "stock|tuned|FILE", "their kernel, as run has it", run.kernel);
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (words.size() != 1) {
    throw base::Error(base::ErrorKind::usage, "say which image", options.see_help());
  }
  const auto count = whole_number(count_text, "--count", 1).value_or(1);
  if (count > most_machines) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--count: at most {} machines", most_machines));
  }
  run.image = words.front();
  run.command = {"/"};  // whatever it will be
  auto wanted = plan(run, static_cast<std::size_t>(count));
  const auto id = wanted.place.filename().string();
  launch_keeper(std::move(wanted));
  fmt::print("{}\n", id);
  return 0;
}

constexpr std::array verbs{FamilyVerb{"start", "IMAGE", "start machines ahead", start_standby},
                           FamilyVerb{"ls", "", "list those that wait", list_standbys},
                           FamilyVerb{"stop", "IMAGE|ID...", "end them", stop_standbys}};

}  // namespace

int standby(const Arguments& arguments) {
  return run_family("standby", "Keeps machines that have started and wait for an image's workload.",
                    verbs, arguments);
}

}  // namespace twinbox::cli
