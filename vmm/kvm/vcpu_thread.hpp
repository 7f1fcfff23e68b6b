// The thread that runs a vCPU, driven by requests from the control thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "vmm/kvm/exit_counter.hpp"
#include "vmm/kvm/vcpu.hpp"

namespace twinbox::vmm::kvm {

//   created --resume--> running <--pause/resume--> paused
//   any --the guest or KVM ends it, or stop()--> stopped
enum class VcpuState { created, running, paused, stopped };

// Why a vCPU stopped by itself.
enum class VcpuFault {
  triple_fault,    // KVM_EXIT_SHUTDOWN
  entry_refused,   // KVM_EXIT_FAIL_ENTRY: the processor did not accept the guest's state
  internal_error,  // KVM_EXIT_INTERNAL_ERROR: KVM's instruction emulator gave up, mostly
  unknown_exit,    // one that the monitor did not ask for
  run_failed,      // the ioctl itself failed
};

struct VcpuEnd {
  VcpuFault fault = VcpuFault::unknown_exit;
  std::string detail;  // KVM's numbers, for the message
};

// Who answers the guest's accesses, in the vCPU's thread.
struct AddressSpace {
  std::function<void(std::uint64_t address, std::span<std::byte> data)> read;
  std::function<void(std::uint64_t address, std::span<const std::byte> data)> write;
};

class VcpuThread {
 public:
  struct AddressSpaces {
    AddressSpace ports;
    AddressSpace memory;  // what is no RAM
  };
  // `on_fault` is called in the vCPU's thread, once, before the state becomes stopped. The vCPU is
  // borrowed. Throws base::Error (system) where the host has no room for a thread.
  VcpuThread(Vcpu& vcpu, AddressSpaces spaces, std::function<void(const VcpuEnd&)> on_fault);
  VcpuThread(const VcpuThread&) = delete;
  VcpuThread& operator=(const VcpuThread&) = delete;
  ~VcpuThread();  // stops and joins

  // Requests; pause() and stop() return when the vCPU is out of the guest. A stopped one stays so.
  void resume();
  void pause();
  void stop();

  VcpuState state() const;
  const ExitCounter& exits() const { return exits_; }

 private:
  void thread_main();
  VcpuState wait_for_request();
  void run_until_request();
  bool request_pending();
  std::optional<VcpuEnd> complete_access();
  std::optional<VcpuEnd> handle_exit();
  void handle_port();
  void handle_memory();
  void request(VcpuState wanted);
  void kick();
  void finish(VcpuState reached);

  Vcpu& vcpu_;
  AddressSpaces spaces_;
  std::function<void(const VcpuEnd&)> on_fault_;
  ExitCounter exits_;

  mutable std::mutex mutex_;  // guards the two states below
  std::condition_variable changed_;
  VcpuState state_ = VcpuState::created;
  VcpuState wanted_ = VcpuState::created;
  // The same question as "is wanted_ other than running", for the loop around KVM_RUN.
  std::atomic<bool> interrupt_requested_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace twinbox::vmm::kvm
