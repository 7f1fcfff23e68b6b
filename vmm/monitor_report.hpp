// What the monitor tells whoever started it: one JSON line per mark, one per order that it has
// carried out, and one about its end.
//
//   {"event":"mark","name":"created","ns":123456789}, with "cpu_ns":1234567 where CPU time is
//   counted
//   {"event":"done"}   {"event":"done","error":"cannot make /x/y: ...","hint":"...","number":28}
//   {"event":"end","reason":"triple_fault","message":"...","hint":"...","rip":4096,
//    "last_serial":["..."],"exits":{"io":12,"mmio":3},"exits_at_boot":{"io":10}}
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "sandbox/marks.hpp"

namespace twinbox::vmm {

// Why a monitor ended. Also decides its exit status, see exit_status().
enum class EndReason {
  shutdown,        // the guest powered its machine off
  reset,           // the guest asked for a reset (keyboard controller, reset register, reboot=t)
  setup_error,     // the machine could not be built: a bad kernel, not enough memory, no KVM
  snapshot_error,  // nor from its snapshot, which will not do here for any other either
  triple_fault,    // a vCPU met a fault it had no handler for
  boot_limit,      // the guest did not stamp `booted` in time
  kvm_error,       // KVM could not go on running the guest
  internal_error,  // a broken promise of our own
  stopped,         // the monitor was asked to end (SIGTERM, SIGINT)
  killed,          // told by the watching side only: the process died by a signal, or said nothing
};

std::string_view to_string(EndReason reason);

// The exit status of twinbox-vmm: 0 for shutdown and reset, 10 setup_error and snapshot_error,
// 11 triple_fault, 12 boot_limit, 13 kvm_error, 14 internal_error, 15 stopped; 2 for a command line
// it cannot read.
int exit_status(EndReason reason);

using ExitCounts = std::map<std::string, std::uint64_t>;  // by reason: "io", "mmio", "hlt", ...

struct MonitorEnd {
  EndReason reason = EndReason::internal_error;
  std::string message{};  // plain words: what happened, and where
  std::string hint{};     // what to try
  std::optional<std::uint64_t> rip{};
  std::vector<std::string> last_serial{};  // the guest's last lines, oldest first
  ExitCounts exits{};                      // over the whole run, all vCPUs
  ExitCounts exits_at_boot{};              // when `booted` was stamped; empty when it never was

  // The guest never ran.
  bool never_ran() const {
    return reason == EndReason::setup_error || reason == EndReason::snapshot_error;
  }
  bool clean() const { return reason == EndReason::shutdown || reason == EndReason::reset; }
};

struct MonitorReport {
  sandbox::Marks marks;
  std::vector<std::optional<base::Error>> orders_done;  // as given; with the reason of a failure
  std::optional<MonitorEnd> end;
};

// What a monitor can be told, over the same socket.
enum class Command { pause, resume, snapshot };
struct Order {
  Command command = Command::pause;
  std::string path{};  // of the snapshot
  bool operator==(const Order&) const = default;
};
// Throws base::Error (usage) for a path that is not one line.
std::string order_line(const Order& order);
// nullopt for a line that is none.
std::optional<Order> order_from_line(std::string_view line);

// One line each, with its newline.
std::string mark_line(sandbox::Mark mark, const sandbox::Stamp& stamp);
std::string end_line(const MonitorEnd& end);
std::string done_line();
std::string failed_line(const base::Error& error);

// Puts the lines of a report pipe together again. Throws base::Error on a line that no monitor
// writes.
class ReportParser {
 public:
  void feed(std::string_view bytes);
  const MonitorReport& report() const { return report_; }
  MonitorReport& report() { return report_; }

 private:
  void take_line(std::string_view line);

  std::string buffer_;
  MonitorReport report_;
};

}  // namespace twinbox::vmm
