#include "tests/native/vmm/bare_machine.hpp"

#include <algorithm>
#include <chrono>

#include "base/size.hpp"
#include "vmm/boot/linux_boot.hpp"
#include "vmm/kvm/cpuid.hpp"
#include "vmm/kvm/entry_registers.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::testing {
namespace {

constexpr auto deadline = std::chrono::seconds(60);
constexpr std::uint64_t line_status = 5;
constexpr std::byte transmitter_empty{0x20};
constexpr std::uint16_t debug_port = 0x80;

kvm::AddressSpace answered_by(const Bus& bus) {
  return {.read = [&bus](auto address, auto data) { bus.read(address, data); },
          .write = [&bus](auto address, auto data) { bus.write(address, data); }};
}

}  // namespace

template <typename Condition>
bool Journal::wait(Condition condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, deadline, condition);
}

void Journal::add_text(char character) {
  const std::lock_guard lock(mutex_);
  text_ += character;
  changed_.notify_all();
}

void Journal::count_debug_write() {
  const std::lock_guard lock(mutex_);
  ++debug_writes_;
}

void Journal::power_off() {
  const std::lock_guard lock(mutex_);
  powered_off_ = true;
  changed_.notify_all();
}

void Journal::fault(const kvm::VcpuEnd& end) {
  const std::lock_guard lock(mutex_);
  fault_ = end;
  changed_.notify_all();
}

bool Journal::wait_for_text(const std::string& text) {
  return wait([&] { return text_.find(text) != std::string::npos; });
}

bool Journal::wait_for_power_off() {
  return wait([&] { return powered_off_; });
}

std::optional<kvm::VcpuEnd> Journal::wait_for_fault() {
  wait([&] { return fault_.has_value(); });
  return fault_;
}

std::string Journal::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

int Journal::debug_writes() const {
  const std::lock_guard lock(mutex_);
  return debug_writes_;
}

void TextPort::read(std::uint64_t offset, std::span<std::byte> data) {
  std::ranges::fill(data, offset == line_status ? transmitter_empty : std::byte{0});
}

void TextPort::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (offset == 0) journal_.add_text(static_cast<char>(data[0]));
}

BareMachine::BareMachine(const std::string& scenario, const std::string& guest)
    : memory(4 * base::mebibyte) {
  ports.add(layout::serial_port, 8, text_port_);
  ports.add(layout::sleep_control_port, 1, power_);
  ports.add(debug_port, 1, debug_);
  const auto entry = boot::prepare_boot(
      {.kernel = TEST_GUESTS "/" + guest, .initrd = "", .command_line = scenario, .rsdp = {}},
      memory);
  vm.create(memory);
  vcpu.emplace(vm, 0, kvm::guest_cpuid(kvm.supported_cpuid(), {}));
  kvm::set_entry_registers(*vcpu, entry);
  thread.emplace(*vcpu, kvm::VcpuThread::AddressSpaces{answered_by(ports), answered_by(mmio)},
                 [this](const kvm::VcpuEnd& end) { journal.fault(end); });
}

std::map<std::string, std::uint64_t> BareMachine::exits() const {
  std::map<std::string, std::uint64_t> totals;
  thread->exits().add_to(totals);
  return totals;
}

}  // namespace twinbox::vmm::testing
