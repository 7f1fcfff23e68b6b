// Exits of machines, as KVM's tracepoints tell them: by reason, with the time until the guest runs
// again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compare/result.hpp"

namespace twinbox::compare {

struct Exit {
  std::uint64_t at_ns = 0;    // CLOCK_MONOTONIC
  std::uint64_t took_ns = 0;  // until the next entry of the same vCPU's thread; 0: there was none
  std::string reason;
};

// The text of tracefs's `trace` with kvm_exit and kvm_entry in it.
std::vector<Exit> parse_exits(std::string_view trace);

// Means over `runs` runs, by phase and reason: "boot" until the workload is executed, "run" until
// it is ready, "stop" until all is gone. `marks` of one run, counted from its request.
struct TracedRun {
  std::vector<Exit> exits;
  std::uint64_t request_ns = 0;
  std::map<sandbox::Mark, std::uint64_t> marks;
};
std::vector<ExitCount> count_exits(const std::string& engine, const std::string& workload,
                                   const std::vector<TracedRun>& runs);

// Records while it lives, of all machines of this host. One at a time.
class ExitTrace {
 public:
  // How the kernel's tracing was set before is noted in `workplace`. Throws base::Error
  // (unsupported) where the kernel has no such tracepoints. `tracing` is tracefs, if it is
  // elsewhere.
  explicit ExitTrace(std::filesystem::path workplace, const std::filesystem::path& tracing = {});
  ExitTrace(const ExitTrace&) = delete;
  ExitTrace& operator=(const ExitTrace&) = delete;
  ~ExitTrace();

  // Ends the recording.
  std::vector<Exit> take();

 private:
  std::filesystem::path workplace_;
  std::filesystem::path tracing_;
};

// Ends the recording of the comparison that works, or worked, in `workplace`, and sets everything
// as it was before, if anything is noted there.
void undo_tracing(const std::filesystem::path& workplace);

}  // namespace twinbox::compare
