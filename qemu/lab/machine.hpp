// The lab's machine: QEMU emulating an AMD host with SVM and nested paging, everything in RAM.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::qemu {

// A virtio-serial port; the lab finds it as /dev/virtio-ports/NAME.
struct LabPort {
  std::string name;
  int socket = -1;         // connected, or listening
  bool listening = false;  // QEMU accepts one connection after the other
};

enum class LabTiming {
  wall_clock,     // as fast as it goes
  deterministic,  // time is the count of executed instructions; repeats exactly
};

struct LabMachineConfig {
  std::filesystem::path kernel;  // an uncompressed vmlinux boots fastest
  std::filesystem::path image;
  std::uint64_t memory_bytes = 0;
  LabTiming timing = LabTiming::wall_clock;
  std::vector<LabPort> ports;
  std::string script;  // run once by the lab's init; empty: it serves agents on ports "exec.N"
  int log = -1;        // a file; the lab's serial console and QEMU's diagnostics are appended to it
};

// Throws base::Error when this host cannot run such a machine: QEMU missing (names the package) or
// not enough memory.
void check_lab_host(const LabMachineConfig& config);

// A running QEMU. The destructor kills it; so does the end of the thread that made it.
class LabMachine {
 public:
  // Checks the host first. Warns on stderr of a QEMU that may interrupt a guest twice.
  explicit LabMachine(const LabMachineConfig& config);
  LabMachine(const LabMachine&) = delete;
  LabMachine& operator=(const LabMachine&) = delete;
  ~LabMachine();

  // Readable when QEMU has ended.
  int pidfd() const { return pidfd_.get(); }
  pid_t pid() const { return pid_; }
  // Waits for its end.
  void wait();

 private:
  LabMachine() = default;

  pid_t pid_ = -1;
  base::Fd pidfd_;
};

// The whole command line, program first; `script_fd` as the child will see it.
std::vector<std::string> qemu_arguments(const LabMachineConfig& config, int script_fd);

// What a lab with an image of this size gets by default, and the least it can boot with.
std::uint64_t default_lab_memory(std::uint64_t image_bytes);
std::uint64_t least_lab_memory(std::uint64_t image_bytes);

// Warns on stderr of what a LabMachine warned of whose process has this log as its stderr.
void pass_on_warnings(const std::filesystem::path& log);

// The last lines of a log file, for an error's text; empty when there are none.
std::string log_tail(int log);

}  // namespace twinbox::qemu
