#include "vmm/standby_keeper.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <span>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/agent_session.hpp"
#include "vmm/agent_port.hpp"
#include "vmm/image_plan.hpp"
#include "vmm/monitor_spawn.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::vmm {
namespace {

// A box that has just taken a machine is about to start its workload, and does not share the host's
// processors with the making of another.
constexpr std::chrono::milliseconds time_to_start{100};
constexpr std::chrono::seconds time_to_recover{1};
constexpr std::chrono::seconds look_interval{1};
// Of the time that its host gives the machine; long also for an emulated one.
constexpr std::chrono::seconds ready_limit{60};

struct MonitorLoss {
  base::Error reason;
  bool by_template = false;
};

// What a monitor that is gone has said of it.
MonitorLoss loss_of(const RunningMonitor& monitor, int status) {
  ReportParser parser;
  try {
    std::array<std::byte, 4096> buffer{};
    base::set_nonblocking(monitor.report.get(), true);
    while (const auto count = base::receive_some(monitor.report.get(), buffer)) {
      if (*count == 0) break;
      parser.feed({reinterpret_cast<const char*>(buffer.data()), *count});
    }
  } catch (const base::Error& error) {
    return {.reason = error};
  }
  if (const auto& end = parser.report().end) {
    return {.reason = {base::ErrorKind::system, end->message, end->hint},
            .by_template = end->reason == EndReason::snapshot_error};
  }
  return {.reason = {base::ErrorKind::system,
                     fmt::format("a machine on standby (process {}) ended with status {}",
                                 monitor.pid, base::shell_status(status))}};
}

}  // namespace

StandbyKeeper::StandbyKeeper(base::EventLoop& loop, std::function<WarmStart()> plan,
                             std::filesystem::path place, std::size_t layers, std::size_t count,
                             Handlers handlers)
    : loop_(loop),
      plan_(std::move(plan)),
      warm_(plan_()),
      layers_(layers),
      count_(count),
      handlers_(std::move(handlers)),
      listener_(listen_for_boxes(place)) {
  loop_.add(listener_.get(), EPOLLIN, [this](std::uint32_t) { give(); });
  look_timer_ = loop_.add_timer(
      look_interval, [this] { look(); }, look_interval);
  fill_later({});
}

StandbyKeeper::~StandbyKeeper() {
  loop_.cancel_timer(look_timer_);
  if (timer_) loop_.cancel_timer(*timer_);
  loop_.remove(listener_.get());
  end_machines();
  for (const auto& given : given_) loop_.remove(given.monitor.pidfd.get());
}

void StandbyKeeper::end_machines() {
  for (const auto& one : machines_) send_signal(one.machine.monitor.pidfd.get(), SIGKILL);
  while (!machines_.empty()) {
    const auto place = machines_.begin();
    const auto pid = place->machine.monitor.pid;
    part_with(place);
    base::wait_for(pid);
  }
}

void StandbyKeeper::look() {
  end_slow_machines();
  if (!maker_) look_at_plan();
}

// Their end is told as any other's.
void StandbyKeeper::end_slow_machines() {
  for (const auto& one : machines_) {
    const std::array process{one.machine.monitor.pid};
    if (one.ready || one.since.of(process) < ready_limit) continue;
    send_signal(one.machine.monitor.pidfd.get(), SIGKILL);
  }
}

// Without a plan, as where the kernel was removed, no box could have such a machine either.
void StandbyKeeper::look_at_plan() {
  std::optional<WarmStart> now;
  try {
    now = plan_();
  } catch (const base::Error& error) {
    handlers_.on_failure(error);
  }
  if (now && now->snapshot == warm_.snapshot) {
    if (machines_.size() < count_) fill_later({});
    return;
  }
  if (!machines_.empty()) {
    end_machines();
    tell();
  }
  if (!now) return;
  warm_ = *std::move(now);
  fill_later({});
}

void StandbyKeeper::fill_later(std::chrono::milliseconds delay) {
  if (timer_) return;
  timer_ = loop_.add_timer(delay, [this] {
    timer_.reset();
    tell();
    fill();
  });
}

// One after the other: they are for later.
void StandbyKeeper::fill() {
  const bool one_is_made = std::ranges::any_of(machines_, [](auto& one) { return !one.ready; });
  if (machines_.size() >= count_ || maker_ || one_is_made) return;
  try {
    if (std::filesystem::exists(warm_.snapshot)) return add_machine();
    maker_.emplace(
        loop_, warm_,
        TemplateMaker::Handlers{.on_monitor = [](pid_t) {},
                                .on_end = [this](const auto& error) { on_template(error); }});
  } catch (const base::Error& error) {
    handlers_.on_failure(error);
    fill_later(time_to_recover);
  }
}

void StandbyKeeper::on_template(const std::optional<base::Error>& error) {
  maker_.reset();
  if (!error) return fill();
  handlers_.on_failure(*error);
  fill_later(time_to_recover);
}

void StandbyKeeper::add_machine() {
  note_use(warm_.snapshot);
  auto [ours, guests] = base::make_socket_pair();
  auto config = warm_.machine;
  config.ports.push_back({.name = agent_port, .descriptor = guests.get()});
  config.notes_writes = false;  // more than what a box's start writes
  auto layers = HugeLayers(templates_directory()).use(config.image);
  config.image = layers.image;
  base::write_all(ours.get(),
                  std::string_view(sandbox::go_on_expecting(disks_in(config, layers_))));
  // What a snapshot keeps is the plan's: a layer's copy goes, and who goes on from it notes writes.
  auto file = config_file(warm_.machine);
  auto monitor = start_monitor(std::move(config), DiesWith::nobody);
  const auto place = machines_.insert(machines_.end(), {.machine = {.monitor = std::move(monitor),
                                                                    .port = std::move(ours),
                                                                    .config = std::move(file)},
                                                        .layers = std::move(layers)});
  loop_.add(place->machine.port.get(), EPOLLIN, [this, place](std::uint32_t) { on_ready(place); });
  loop_.add(place->machine.monitor.pidfd.get(), EPOLLIN,
            [this, place](std::uint32_t) { on_gone(place); });
}

// Its hello is left to who takes it. One that has ended is readable too, and gone() is next.
void StandbyKeeper::on_ready(Place place) {
  loop_.remove(place->machine.port.get());
  char first = 0;
  if (::recv(place->machine.port.get(), &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1) return;
  place->ready = true;
  template_renewed_ = false;
  tell();
  fill();
}

void StandbyKeeper::on_gone(Place place) {
  pollfd gone{place->machine.monitor.pidfd.get(), POLLIN, 0};
  if (::poll(&gone, 1, 0) != 1) return;  // what the loop saw was another's, which had its number
  const auto loss = loss_of(place->machine.monitor, base::wait_for(place->machine.monitor.pid));
  part_with(place);
  tell();
  // Another template is made then, as for any box; but not one after the other.
  const bool may_be_mended =
      loss.by_template && !std::exchange(template_renewed_, true) && try_to_remove(warm_.snapshot);
  if (may_be_mended) {
    base::log(base::LogLevel::warning, "a template is made anew: {}", loss.reason.what());
  } else {
    handlers_.on_failure(loss.reason);
  }
  fill_later(time_to_recover);
}

// One that no machine is ready for is told so by the end of its connection.
void StandbyKeeper::give() {
  const base::Fd box(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const auto place = std::ranges::find_if(machines_, &Waiting::ready);
  if (!box || place == machines_.end()) return;
  try {
    hand_over(box.get(), place->machine);
  } catch (const base::Error& error) {
    return base::log(base::LogLevel::debug, "{}", error.what());
  }
  ++taken_;
  auto& monitor = place->machine.monitor;
  loop_.remove(monitor.pidfd.get());
  monitor.report.reset();  // it ends with its box
  const auto given = given_.insert(
      given_.end(), {.monitor = std::move(monitor), .layers = std::move(place->layers)});
  machines_.erase(place);
  loop_.add(given->monitor.pidfd.get(), EPOLLIN, [this, given](std::uint32_t) {
    loop_.remove(given->monitor.pidfd.get());
    base::wait_for(given->monitor.pid);
    given_.erase(given);
  });
  fill_later(time_to_start);
}

void StandbyKeeper::part_with(Place place) {
  if (loop_.watches(place->machine.port.get())) loop_.remove(place->machine.port.get());
  loop_.remove(place->machine.monitor.pidfd.get());
  machines_.erase(place);
}

void StandbyKeeper::tell() {
  const auto ready = std::ranges::count_if(machines_, &Waiting::ready);
  handlers_.on_change(static_cast<std::size_t>(ready), taken_);
}

}  // namespace twinbox::vmm
