#include "vmm/monitor.hpp"

#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/granted_time.hpp"
#include "base/syscall.hpp"
#include "vmm/builder.hpp"
#include "vmm/diagnosis.hpp"
#include "vmm/machine_events.hpp"
#include "vmm/snapshot/machine_state.hpp"
#include "vmm/snapshot/working_set.hpp"

namespace twinbox::vmm {
namespace {

// How long a workload runs until what its start has written is noted.
constexpr std::chrono::milliseconds start_of_a_workload{5};

// A machine's run: from its configuration to the reason of its end.
class Run {
 public:
  Run(const MachineConfig& config, Reporter& reporter)
      : config_(config),
        reporter_(reporter),
        signals_(base::make_signalfd(std::array{SIGTERM, SIGINT, SIGHUP})) {
    watch_for_end();
    if (config_.notes_writes && snapshot::lacks_working_set(config_.snapshot)) watch_for_workload();
    machine_ = build_machine(
        config, loop_,
        {.on_end = [this](EndRequest end) { mailbox_.post(std::move(end)); },
         .on_mark = [this](auto mark, const auto& stamp) { take_mark(mark, stamp); }});
  }

  MonitorEnd to_its_end() {
    arm_boot_limit();
    hear_orders();
    reporter_.mark(sandbox::Mark::created, sandbox::Stamp::now());
    machine_->start();
    loop_.run();
    machine_->stop();
    machine_->serial->flush();
    const std::lock_guard lock(boot_mutex_);
    MonitorEnd end = describe_end(*mailbox_.take(), *machine_, config_, exits_at_boot_.has_value());
    if (exits_at_boot_) end.exits_at_boot = *exits_at_boot_;
    return end;
  }

 private:
  void watch_for_end() {
    loop_.add(mailbox_.descriptor(), EPOLLIN, [this](std::uint32_t) { loop_.stop(); });
    loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { end_with(EndReason::stopped); });
  }

  void watch_for_workload() {
    workload_ = base::make_eventfd();
    loop_.add(workload_.get(), EPOLLIN, [this](std::uint32_t) {
      loop_.remove(workload_.get());
      const auto note = [this] {
        snapshot::record_working_set(machine_->memory, config_.snapshot);
      };
      note();  // it may end at once
      loop_.add_timer(start_of_a_workload, note);
    });
  }

  // Where the report goes to a socket, orders come from there.
  void hear_orders() {
    struct stat info {};
    if (::fstat(config_.report, &info) != 0 || !S_ISSOCK(info.st_mode)) return;
    loop_.add(config_.report, EPOLLIN, [this](std::uint32_t) { take_orders(); });
  }

  // Of one who is gone with some of the report unread, the connection is reset.
  std::optional<std::size_t> receive_orders(std::span<std::byte> buffer) const {
    try {
      return base::receive_some(config_.report, buffer);
    } catch (const base::Error&) {
      return 0;
    }
  }

  void take_orders() {
    std::array<std::byte, 256> buffer{};
    while (const auto count = receive_orders(buffer)) {
      if (*count == 0) {  // nobody is left who would know how it ends
        loop_.remove(config_.report);
        return end_with(EndReason::stopped);
      }
      orders_.append(reinterpret_cast<const char*>(buffer.data()), *count);
      for (auto end = orders_.find('\n'); end != std::string::npos; end = orders_.find('\n')) {
        if (const auto order = order_from_line(std::string_view(orders_).substr(0, end)))
          carry_out(*order);
        orders_.erase(0, end + 1);
      }
    }
  }

  void carry_out(const Order& order) {
    try {
      switch (order.command) {
        case Command::pause:
          set_paused(true);
          break;
        case Command::resume:
          set_paused(false);
          break;
        case Command::snapshot:
          take_snapshot(order.path);
          break;
      }
      reporter_.done();
    } catch (const base::Error& error) {
      reporter_.failed(error);
    } catch (const std::exception& error) {  // of memory that the host has none of
      reporter_.failed(base::Error(base::ErrorKind::system, error.what()));
    }
  }

  // KVM has nothing to say to a vCPU that runs, and would wait for it to leave the guest.
  void set_paused(bool paused) {
    if (paused == paused_) return;
    if (paused) {
      machine_->pause();
    } else {
      machine_->resume();
    }
    paused_ = paused;
  }

  // A machine that ran goes on whatever becomes of the snapshot.
  void take_snapshot(const std::string& path) {
    const bool was_paused = paused_;
    if (!was_paused) set_paused(true);
    try {
      snapshot::save(*machine_, path);
    } catch (const std::exception&) {
      if (!was_paused) set_paused(false);
      throw;
    }
    if (!was_paused) set_paused(false);
  }

  void end_with(EndReason reason) { mailbox_.post({.reason = reason, .vcpu = 0, .fault = {}}); }

  void arm_boot_limit() {
    if (config_.boot_limit_ms == 0) return;
    const std::chrono::milliseconds limit(config_.boot_limit_ms);
    boot_timer_ = loop_.add_timer(
        limit, [this, granted = base::GrantedTime()] { check_boot_limit(granted); },
        std::chrono::seconds(1));
  }

  void check_boot_limit(const base::GrantedTime& granted) {
    const std::lock_guard lock(boot_mutex_);
    const std::array self{::getpid()};
    const bool over = granted.of(self) >= std::chrono::milliseconds(config_.boot_limit_ms);
    if (!exits_at_boot_ && over) end_with(EndReason::boot_limit);
    if (exits_at_boot_ || over) loop_.cancel_timer(boot_timer_);
  }

  // In a vCPU's thread. The guest may write any number; only what is its to stamp counts.
  void take_mark(std::uint32_t number, const sandbox::Stamp& stamp) {
    const auto mark = static_cast<sandbox::Mark>(number);
    if (mark != sandbox::Mark::booted && mark != sandbox::Mark::executed) return;
    if (!reporter_.mark(mark, stamp)) return;
    if (mark == sandbox::Mark::executed && workload_) base::signal_eventfd(workload_.get());
    if (mark != sandbox::Mark::booted) return;
    const std::lock_guard lock(boot_mutex_);
    exits_at_boot_ = machine_->exits();
  }

  const MachineConfig& config_;
  Reporter& reporter_;
  base::EventLoop loop_;
  EndMailbox mailbox_;
  base::Fd signals_;
  base::Fd workload_;      // signalled when it runs; empty where nobody asks
  std::mutex boot_mutex_;  // guards exits_at_boot_; the mailbox's lock may be taken under it
  std::optional<ExitCounts> exits_at_boot_;
  base::EventLoop::TimerId boot_timer_{};
  std::string orders_;  // not whole lines yet
  bool paused_ = false;
  std::unique_ptr<Machine> machine_;  // last: its threads use all of the above
};

// Also of the standard library's, as of memory that the host has none of.
MonitorEnd failure(EndReason reason, const std::exception& error) {
  MonitorEnd end{.reason = reason};
  if (const auto* const ours = dynamic_cast<const base::Error*>(&error)) {
    end.message = ours->message();
    end.hint = ours->hint();
  } else {
    end.message = error.what();
  }
  return end;
}

}  // namespace

MonitorEnd run_monitor(const MachineConfig& config, Reporter& reporter) {
  std::unique_ptr<Run> run;
  try {
    run = std::make_unique<Run>(config, reporter);
  } catch (const SnapshotError& error) {
    return failure(EndReason::snapshot_error, error);
  } catch (const std::exception& error) {
    return failure(EndReason::setup_error, error);
  }
  try {
    return run->to_its_end();
  } catch (const std::exception& error) {
    return failure(EndReason::internal_error, error);
  }
}

}  // namespace twinbox::vmm
