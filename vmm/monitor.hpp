// The monitor itself: builds a machine, runs it to its end, and reports.
#pragma once

#include <cstdint>
#include <mutex>

#include "sandbox/marks.hpp"
#include "vmm/machine_config.hpp"
#include "vmm/monitor_report.hpp"

namespace twinbox::vmm {

// Writes the report's lines to a descriptor, or, without one, the end in plain words to stderr.
class Reporter {
 public:
  explicit Reporter(int descriptor) : descriptor_(descriptor) {}

  // Tells of a mark once; false when it was known already. From any thread.
  bool mark(sandbox::Mark mark, const sandbox::Stamp& stamp);
  // The next order was carried out, or not.
  void done();
  void failed(const base::Error& error);
  void end(const MonitorEnd& end);

 private:
  void write(const std::string& line);

  int descriptor_;
  std::mutex mutex_;  // guards marks_ and the order of lines
  sandbox::Marks marks_;
};

// Runs the machine in the calling thread, which becomes its event loop, until it ends. Never
// throws: what goes wrong is in what it returns.
MonitorEnd run_monitor(const MachineConfig& config, Reporter& reporter);

}  // namespace twinbox::vmm
