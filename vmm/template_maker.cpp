#include "vmm/template_maker.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "vmm/agent_port.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::vmm {
namespace {

constexpr std::chrono::milliseconds look_interval{10};
// What a kernel still does after its boot is done once, and not by each copy.
constexpr std::chrono::milliseconds settling_time{200};

}  // namespace

TemplateMaker::TemplateMaker(base::EventLoop& loop, WarmStart warm, Handlers handlers)
    : loop_(loop), warm_(std::move(warm)), handlers_(std::move(handlers)) {
  make_templates_directory(warm_.snapshot.parent_path());
  try_to_begin();
}

TemplateMaker::~TemplateMaker() {
  if (timer_) loop_.cancel_timer(*timer_);
}

// Whoever holds the lock makes the template.
void TemplateMaker::try_to_begin() {
  timer_.reset();
  if (killed_) return end_with(base::Error(base::ErrorKind::system, "it was ended"));
  try {
    lock_ = lock_template(warm_.snapshot);
    if (!lock_) {
      timer_ = loop_.add_timer(look_interval, [this] { try_to_begin(); });
    } else if (std::filesystem::exists(warm_.snapshot)) {
      end_with(std::nullopt);
    } else {
      remove_drafts(warm_.snapshot);
      make_room(warm_.snapshot, lock_);
      boot();
    }
  } catch (const base::Error& error) {
    end_with(error);
  }
}

void TemplateMaker::boot() {
  auto [ours, guests] = base::make_socket_pair();
  auto config = warm_.boot;
  config.ports.push_back({.name = agent_port, .descriptor = guests.get()});
  monitor_.emplace(loop_, std::move(config),
                   [this](const MonitorReport& report) { on_monitor_end(report); });
  handlers_.on_monitor(monitor_->pid());
  session_.emplace(
      loop_, std::move(ours),
      sandbox::SessionHandlers{
          .on_hello =
              [this](std::string_view) {
                timer_ = loop_.add_timer(settling_time, [this] {
                  timer_.reset();
                  session_->freeze([this](const auto& frozen) { on_frozen(frozen); });
                });
              },
          .on_log = [](std::string_view text) { base::log(base::LogLevel::warning, "{}", text); },
          .on_lost = [this](const base::Error& reason) { on_lost(reason); }});
}

void TemplateMaker::on_frozen(const std::variant<std::monostate, base::Error>& answer) {
  if (session_->lost()) return;  // told to on_lost() too
  if (std::holds_alternative<base::Error>(answer)) return on_saved(answer);
  monitor_->order({.command = Command::snapshot, .path = warm_.snapshot.string()},
                  [this](const auto& saved) { on_saved(saved); });
}

void TemplateMaker::on_saved(const std::variant<std::monostate, base::Error>& answer) {
  if (const auto* const error = std::get_if<base::Error>(&answer)) {
    error_ = *error;
    if (base::is_out_of_room(error->number())) note_too_little_room();
  } else {
    saved_ = true;
  }
  monitor_->kill();
}

void TemplateMaker::note_too_little_room() {
  try {
    note_no_room(warm_.snapshot, lock_);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::debug, "{}", error.what());
  }
}

// The monitor's end follows, and says more.
void TemplateMaker::on_lost(const base::Error& reason) {
  lost_ = reason;
  monitor_->stop();
}

void TemplateMaker::on_monitor_end(const MonitorReport& report) {
  session_.reset();
  if (saved_) {
    remove_old_templates(warm_.snapshot);
    return end_with(std::nullopt);
  }
  const auto& end = *report.end;
  if (!error_ && lost_ && end.reason == EndReason::stopped) error_ = lost_;
  if (!error_) error_ = base::Error(base::ErrorKind::system, end.message, end.hint);
  end_with(error_);
}

void TemplateMaker::end_with(std::optional<base::Error> error) {
  lock_.reset();
  // The time to settle may still be running, when the monitor has died in it.
  if (timer_) loop_.cancel_timer(*timer_);
  timer_ = loop_.add_timer({}, [this, error = std::move(error)] {
    timer_.reset();
    const auto on_end = std::exchange(handlers_.on_end, nullptr);
    on_end(error);
  });
}

void TemplateMaker::kill() {
  killed_ = true;
  if (monitor_) monitor_->kill();
}

std::vector<pid_t> TemplateMaker::processes() const {
  return monitor_ && monitor_->running() ? std::vector{monitor_->pid()} : std::vector<pid_t>{};
}

}  // namespace twinbox::vmm
