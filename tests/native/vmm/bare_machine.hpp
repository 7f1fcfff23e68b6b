// The smallest machine around a vCPU: no event loop, no real device, for tests of the KVM layer.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "vmm/devices/bus.hpp"
#include "vmm/kvm/host_support.hpp"
#include "vmm/kvm/kvm.hpp"
#include "vmm/kvm/vcpu.hpp"
#include "vmm/kvm/vcpu_thread.hpp"
#include "vmm/kvm/vm.hpp"
#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::testing {

// Skips a test, saying why, where bare-metal guests cannot run.
#define SKIP_WITHOUT_KVM()                                                          \
  if (const auto host = ::twinbox::vmm::kvm::probe_host(); !host.runs_bare_metal()) \
  GTEST_SKIP() << host.explanation

// Where a guest's writes end up, from the vCPU's thread; tests wait for what they want to see.
class Journal {
 public:
  void add_text(char character);
  void count_debug_write();
  void power_off();
  void fault(const kvm::VcpuEnd& end);

  // Each waits with a generous deadline; false when it passed.
  bool wait_for_text(const std::string& text);
  bool wait_for_power_off();
  std::optional<kvm::VcpuEnd> wait_for_fault();

  std::string text() const;
  int debug_writes() const;

 private:
  template <typename Condition>
  bool wait(Condition condition);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  int debug_writes_ = 0;
  bool powered_off_ = false;
  std::optional<kvm::VcpuEnd> fault_;
};

// A transmitter that is always ready.
class TextPort final : public BusDevice {
 public:
  explicit TextPort(Journal& journal) : journal_(journal) {}
  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

 private:
  Journal& journal_;
};

// Calls back at each write.
class WriteHook final : public BusDevice {
 public:
  explicit WriteHook(std::function<void()> on_write) : on_write_(std::move(on_write)) {}
  void read(std::uint64_t, std::span<std::byte>) override {}
  void write(std::uint64_t, std::span<const std::byte>) override { on_write_(); }

 private:
  std::function<void()> on_write_;
};

// Runs the bare-metal guest with one scenario.
class BareMachine {
 public:
  explicit BareMachine(const std::string& scenario, const std::string& guest = "bare-metal");

  Journal journal;
  GuestMemory memory;
  kvm::Kvm kvm;
  kvm::Vm vm{kvm};
  Bus ports;
  Bus mmio;
  std::optional<kvm::Vcpu> vcpu;
  std::optional<kvm::VcpuThread> thread;  // created, not yet running

  std::map<std::string, std::uint64_t> exits() const;

 private:
  TextPort text_port_{journal};
  WriteHook power_{[this] { journal.power_off(); }};
  WriteHook debug_{[this] { journal.count_debug_write(); }};
};

}  // namespace twinbox::vmm::testing
