// A running twinbox-vmm as seen by the process that started it.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/marks.hpp"
#include "vmm/machine_config.hpp"
#include "vmm/monitor_report.hpp"

namespace twinbox::vmm {

// A monitor that nobody watches yet. It ends when the far end of its report is closed; whoever has
// the three may be another process than the one that started it, and reaps it.
struct RunningMonitor {
  pid_t pid = -1;
  base::Fd pidfd;
  base::Fd report;
  bool child = true;  // of the calling process
};

// A file in memory with the configuration.
base::Fd config_file(const MachineConfig& config);

// Whom a monitor dies with, beside the holder of its report.
enum class DiesWith { starter, nobody };

// The descriptors that `config` names (ports, serial) stay the caller's and are inherited under the
// same numbers; every other one is closed in the monitor. `config.report` is filled in here. Throws
// base::Error when the program cannot be started.
RunningMonitor start_monitor(MachineConfig config, DiesWith life);

// Starts a monitor and watches it. The monitor dies with the thread that started it.
//
//   auto [ours, guests] = base::make_socket_pair();
//   MachineConfig config{.kernel = "vmlinux", .memory_bytes = 128 * base::mebibyte,
//                        .ports = {{"twinbox", guests.get()}}};
//   MonitorProcess monitor(loop, config, [&](const MonitorReport& report) { ... });
//   guests.reset();  // the monitor has its own copy: the socket ends with it
//
// All calls come from the loop's thread. The destructor kills a monitor that still runs and reaps
// it.
class MonitorProcess {
 public:
  // `on_end` is called once, from the loop, when the process is gone: report.end is always set.
  // It may destroy this object.
  using EndHandler = std::function<void(const MonitorReport& report)>;
  // Called from the loop for each mark as it arrives; may be empty.
  using MarkHandler = std::function<void(sandbox::Mark mark)>;

  // One that start_monitor() starts for the calling thread.
  MonitorProcess(base::EventLoop& loop, MachineConfig config, EndHandler on_end,
                 MarkHandler on_mark = {});
  // One that runs already.
  MonitorProcess(base::EventLoop& loop, RunningMonitor monitor, EndHandler on_end,
                 MarkHandler on_mark = {});
  MonitorProcess(const MonitorProcess&) = delete;
  MonitorProcess& operator=(const MonitorProcess&) = delete;
  ~MonitorProcess();

  pid_t pid() const { return monitor_.pid; }
  bool running() const { return running_; }
  const sandbox::Marks& marks() const { return parser_.report().marks; }
  // Asks it to end (SIGTERM), with a report of its own; or ends it at once (SIGKILL). `on_end`
  // follows from the loop.
  void stop();
  void kill();
  // Answered from the loop when the machine's processors stand still, go on, or the snapshot is
  // kept.
  void order(const Order& order, sandbox::Done done);

 private:
  std::optional<int> wait_for_end();
  std::optional<std::size_t> receive(std::span<std::byte> buffer);
  void read_report();
  void take_report(std::string_view bytes);
  void process_gone();

  base::EventLoop& loop_;
  EndHandler on_end_;
  MarkHandler on_mark_;
  RunningMonitor monitor_;
  ReportParser parser_;
  std::deque<sandbox::Done> orders_;  // given and not done yet
  std::string report_error_;
  bool running_ = false;
};

}  // namespace twinbox::vmm
