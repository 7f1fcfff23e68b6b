#include "vmm/kvm/vcpu_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>

#include "base/error.hpp"

namespace twinbox::vmm::kvm {
namespace {

// A signal whose only effect is that KVM_RUN returns.
int kick_signal() { return SIGRTMIN; }

void install_kick_handler() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  if (::sigaction(kick_signal(), &action, nullptr) != 0) {
    base::throw_errno("cannot set up the signal that interrupts a vCPU");
  }
}

void allow_only_kicks() {
  sigset_t mask;
  ::sigfillset(&mask);
  ::sigdelset(&mask, kick_signal());
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

std::string internal_error_detail(const kvm_run& run) {
  constexpr std::uint32_t with_instruction = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
  std::string text = fmt::format("KVM_EXIT_INTERNAL_ERROR, suberror {}", run.internal.suberror);
  const auto& failure = run.emulation_failure;
  if (run.internal.suberror == KVM_INTERNAL_ERROR_EMULATION && failure.ndata >= 4 &&
      (failure.flags & with_instruction) != 0) {
    const auto size = std::min<std::size_t>(failure.insn_size, sizeof failure.insn_bytes);
    text += fmt::format(", instruction {:02x}",
                        fmt::join(failure.insn_bytes, failure.insn_bytes + size, " "));
  }
  return text;
}

}  // namespace

VcpuThread::VcpuThread(Vcpu& vcpu, AddressSpaces spaces,
                       std::function<void(const VcpuEnd&)> on_fault)
    : vcpu_(vcpu), spaces_(std::move(spaces)), on_fault_(std::move(on_fault)) {
  install_kick_handler();
  try {
    thread_ = std::jthread([this] { thread_main(); });
  } catch (const std::system_error& error) {
    throw base::Error(
        base::ErrorKind::system,
        fmt::format("cannot start the thread of vCPU {}: {}", vcpu_.index(), error.what()),
        "a limit of processes may be reached, which counts threads: see pids.max of the control "
        "group, and ulimit -u");
  }
}

VcpuThread::~VcpuThread() { stop(); }

void VcpuThread::resume() { request(VcpuState::running); }
void VcpuThread::pause() { request(VcpuState::paused); }
void VcpuThread::stop() { request(VcpuState::stopped); }

VcpuState VcpuThread::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void VcpuThread::request(VcpuState wanted) {
  std::unique_lock lock(mutex_);
  if (wanted_ == VcpuState::stopped || state_ == VcpuState::stopped) return;
  wanted_ = wanted;
  interrupt_requested_ = wanted != VcpuState::running;
  changed_.notify_all();
  if (wanted != VcpuState::running) kick();
  const bool by_itself = std::this_thread::get_id() == thread_.get_id();
  // A device may stop the machine from the vCPU's own thread; waiting for itself would not end.
  if (by_itself || wanted == VcpuState::running) return;
  changed_.wait(lock, [&] { return state_ == wanted || state_ == VcpuState::stopped; });
}

// In this order the kick cannot be lost: the vCPU clears its immediate exit first and looks for
// requests then, so either it sees the request or KVM_RUN returns at once.
void VcpuThread::kick() {
  vcpu_.set_immediate_exit(true);
  ::pthread_kill(thread_.native_handle(), kick_signal());
}

void VcpuThread::thread_main() {
  allow_only_kicks();
  while (wait_for_request() == VcpuState::running) run_until_request();
  finish(VcpuState::stopped);
}

// Takes the state that is wanted; returns when that is to run or to stop.
VcpuState VcpuThread::wait_for_request() {
  std::unique_lock lock(mutex_);
  while (wanted_ != VcpuState::running && wanted_ != VcpuState::stopped) {
    state_ = wanted_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return wanted_ != state_; });
  }
  if (wanted_ == VcpuState::running) state_ = VcpuState::running;
  return wanted_;
}

void VcpuThread::finish(VcpuState reached) {
  const std::lock_guard lock(mutex_);
  state_ = wanted_ = reached;
  changed_.notify_all();
}

bool VcpuThread::request_pending() {
  vcpu_.set_immediate_exit(false);
  return interrupt_requested_;
}

void VcpuThread::run_until_request() {
  std::optional<VcpuEnd> end;
  try {
    while (!end && !request_pending()) {
      const bool exited = vcpu_.run();
      exits_.count(exited ? vcpu_.state().exit_reason : KVM_EXIT_INTR);
      if (exited) end = handle_exit();
    }
    if (!end) end = complete_access();
  } catch (const base::Error& error) {
    end = VcpuEnd{VcpuFault::run_failed, error.message()};
  }
  if (!end) return;
  on_fault_(*end);
  finish(VcpuState::stopped);
}

// A paused vCPU must be whole: KVM takes a device's answer in at the next entry only, and one
// access may come in several parts.
std::optional<VcpuEnd> VcpuThread::complete_access() {
  std::optional<VcpuEnd> end;
  vcpu_.set_immediate_exit(true);
  while (!end && vcpu_.run()) end = handle_exit();
  return end;
}

std::optional<VcpuEnd> VcpuThread::handle_exit() {
  const kvm_run& run = vcpu_.state();
  switch (run.exit_reason) {
    case KVM_EXIT_IO:
      handle_port();
      return std::nullopt;
    case KVM_EXIT_MMIO:
      handle_memory();
      return std::nullopt;
    case KVM_EXIT_INTR:
    case KVM_EXIT_HLT:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
      return std::nullopt;
    case KVM_EXIT_SHUTDOWN:
      return VcpuEnd{VcpuFault::triple_fault, "KVM_EXIT_SHUTDOWN"};
    case KVM_EXIT_FAIL_ENTRY:
      return VcpuEnd{VcpuFault::entry_refused,
                     fmt::format("KVM_EXIT_FAIL_ENTRY, hardware reason {:#x}",
                                 run.fail_entry.hardware_entry_failure_reason)};
    case KVM_EXIT_INTERNAL_ERROR:
      return VcpuEnd{VcpuFault::internal_error, internal_error_detail(run)};
    default:
      return VcpuEnd{VcpuFault::unknown_exit, fmt::format("KVM exit reason {}", run.exit_reason)};
  }
}

// String instructions move several values through one port in one exit.
void VcpuThread::handle_port() {
  kvm_run& run = vcpu_.state();
  auto* const data = reinterpret_cast<std::byte*>(&run) + run.io.data_offset;
  for (std::uint32_t i = 0; i < run.io.count; ++i) {
    const std::span value(data + std::size_t{i} * run.io.size, run.io.size);
    if (run.io.direction == KVM_EXIT_IO_OUT) {
      spaces_.ports.write(run.io.port, value);
    } else {
      spaces_.ports.read(run.io.port, value);
    }
  }
}

void VcpuThread::handle_memory() {
  auto& access = vcpu_.state().mmio;
  const auto value = std::as_writable_bytes(std::span(access.data)).first(access.len);
  if (access.is_write != 0) {
    spaces_.memory.write(access.phys_addr, value);
  } else {
    spaces_.memory.read(access.phys_addr, value);
  }
}

}  // namespace twinbox::vmm::kvm
