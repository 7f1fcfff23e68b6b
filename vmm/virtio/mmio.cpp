#include "vmm/virtio/mmio.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "vmm/virtio/abi.hpp"

namespace twinbox::vmm::virtio {
namespace {

constexpr std::uint32_t vendor = 0x5842'5754;  // "TWBX"
constexpr std::uint32_t all_ones = std::numeric_limits<std::uint32_t>::max();

void set_low(GuestAddress& address, std::uint32_t value) {
  address.value = (address.value & ~std::uint64_t{all_ones}) | value;
}

void set_high(GuestAddress& address, std::uint32_t value) {
  address.value = (address.value & all_ones) | (std::uint64_t{value} << 32);
}

// Each step of the driver needs the one before (3.1.1).
bool in_order(std::uint32_t status) {
  constexpr std::uint32_t steps[] = {abi::status_acknowledge, abi::status_driver,
                                     abi::status_features_ok, abi::status_driver_ok};
  bool missing = false;
  for (const std::uint32_t step : steps) {
    const bool set = (status & step) != 0;
    if (set && missing) return false;
    missing = missing || !set;
  }
  return true;
}

}  // namespace

MmioTransport::MmioTransport(const GuestMemory& memory, VirtioDevice& device,
                             InterruptLine interrupt_line)
    : memory_(memory), device_(device), interrupt_line_(std::move(interrupt_line)) {
  for (const std::uint16_t size_max : device.queue_sizes()) {
    auto& queue = queues_.emplace_back();
    queue.size_max = size_max;
    queue.notify = base::make_eventfd();
  }
}

void MmioTransport::read(std::uint64_t offset, std::span<std::byte> data) {
  std::ranges::fill(data, std::byte{0xff});
  if (offset >= abi::mmio::config) return read_config(offset - abi::mmio::config, data);
  if (data.size() != sizeof(std::uint32_t) || offset % sizeof(std::uint32_t) != 0) return;
  const std::uint32_t value = read_register(offset);
  std::memcpy(data.data(), &value, sizeof(value));
}

void MmioTransport::read_config(std::uint64_t offset, std::span<std::byte> data) {
  const auto config = device_.config();
  if (offset >= config.size()) return;
  const auto known = std::min<std::size_t>(data.size(), config.size() - offset);
  std::ranges::copy(config.subspan(offset, known), data.begin());
}

std::uint32_t MmioTransport::read_register(std::uint64_t offset) {
  using namespace abi;
  // The interrupt handler reads this one each time: no lock.
  if (offset == mmio::interrupt_status) return interrupt_status_.load(std::memory_order_acquire);
  const std::lock_guard lock(device_.mutex());
  const bool selected = registers_.queue_select < queues_.size();
  switch (offset) {
    case mmio::magic:
      return mmio::magic_value;
    case mmio::version:
      return mmio::version_value;
    case mmio::device_id:
      return device_.type();
    case mmio::vendor_id:
      return vendor;
    case mmio::device_features:
      return registers_.device_features_select > 1
                 ? 0
                 : static_cast<std::uint32_t>(offered_features() >>
                                              (32 * registers_.device_features_select));
    case mmio::queue_size_max:
      return selected ? queues_[registers_.queue_select].size_max : 0;
    case mmio::queue_ready:
      return selected && queues_[registers_.queue_select].ready ? 1 : 0;
    case mmio::status:
      return registers_.status;
    case mmio::config_generation:
      return 0;  // the configuration never changes
    default:
      return all_ones;
  }
}

void MmioTransport::write(std::uint64_t offset, std::span<const std::byte> data) {
  std::uint32_t value = 0;
  if (offset >= abi::mmio::config || data.size() != sizeof(value) || offset % sizeof(value) != 0) {
    return violation("a write of a wrong size, or to a configuration that is read-only");
  }
  std::memcpy(&value, data.data(), sizeof(value));
  write_register(offset, value);
}

void MmioTransport::write_register(std::uint64_t offset, std::uint32_t value) {
  using namespace abi;
  switch (offset) {
    case mmio::queue_notify:
      if (value >= queues_.size()) return violation("a notification of no queue");
      return base::signal_eventfd(queues_[value].notify.get());
    case mmio::interrupt_acknowledge:
      interrupt_status_.fetch_and(~value, std::memory_order_acq_rel);
      return;
    default:
      break;
  }
  const std::lock_guard lock(device_.mutex());
  switch (offset) {
    case mmio::device_features_select:
      registers_.device_features_select = value;
      return;
    case mmio::driver_features_select:
      registers_.driver_features_select = value;
      return;
    case mmio::driver_features:
      return set_driver_features(value);
    case mmio::queue_select:
      registers_.queue_select = value;
      return;
    case mmio::status:
      return write_status(value);
    default:
      return write_queue_register(offset, value);
  }
}

void MmioTransport::write_queue_register(std::uint64_t offset, std::uint32_t value) {
  using namespace abi;
  if (registers_.queue_select >= queues_.size()) return violation("a write to no queue");
  QueueState& queue = queues_[registers_.queue_select];
  if (offset == mmio::queue_ready && value == 0 && !device_.active()) {
    queue.ready = false;
    return;
  }
  const bool configurable = (registers_.status & status_features_ok) != 0 &&
                            (registers_.status & (status_driver_ok | status_failed)) == 0;
  if (!configurable || queue.ready) return violation("a queue is set up at the wrong time");
  QueueLayout& layout = queue.layout;
  switch (offset) {
    case mmio::queue_size:
      // What does not fit becomes 0, which no queue can be opened with.
      layout.size = value <= queue.size_max ? static_cast<std::uint16_t>(value) : 0;
      return;
    case mmio::queue_ready:
      return set_queue_ready(queue);
    case mmio::queue_descriptors_low:
      return set_low(layout.descriptors, value);
    case mmio::queue_descriptors_high:
      return set_high(layout.descriptors, value);
    case mmio::queue_available_low:
      return set_low(layout.available, value);
    case mmio::queue_available_high:
      return set_high(layout.available, value);
    case mmio::queue_used_low:
      return set_low(layout.used, value);
    case mmio::queue_used_high:
      return set_high(layout.used, value);
    default:
      return violation("a write to no register");
  }
}

void MmioTransport::set_queue_ready(QueueState& queue) {
  queue.opened = Queue::open(memory_, queue.layout, ring_features());
  queue.ready = queue.opened.has_value();
  if (!queue.ready) violation("a queue of a wrong size, alignment or address");
}

void MmioTransport::set_driver_features(std::uint32_t value) {
  const bool negotiating =
      (registers_.status & abi::status_driver) != 0 &&
      (registers_.status & (abi::status_features_ok | abi::status_failed)) == 0;
  if (!negotiating || registers_.driver_features_select > 1) {
    return violation("features are chosen at the wrong time");
  }
  const unsigned shift = 32 * registers_.driver_features_select;
  registers_.driver_features = (registers_.driver_features & ~(std::uint64_t{all_ones} << shift)) |
                               (std::uint64_t{value} << shift);
}

void MmioTransport::write_status(std::uint32_t value) {
  if (value == 0) return reset();
  // 2.1.1: the driver sets bits, one step after the other, and clears them by reset only.
  // NEEDS_RESET is ours alone.
  value &= ~abi::status_needs_reset;
  if ((registers_.status & ~abi::status_needs_reset & ~value) != 0 || !in_order(value)) {
    return violation("a status out of order");
  }
  const std::uint32_t news = value & ~registers_.status;
  if ((news & abi::status_features_ok) != 0 && !features_acceptable()) {
    // The driver reads back that the bit is not there (3.1.1, step 6).
    violation("features that were not offered, or no VERSION_1");
    value &= ~(abi::status_features_ok | abi::status_driver_ok);
  }
  registers_.status |= value;
  if ((news & value & abi::status_driver_ok) != 0) activate();
}

bool MmioTransport::features_acceptable() const {
  return (registers_.driver_features & ~offered_features()) == 0 &&
         (registers_.driver_features & abi::feature_version_1) != 0;
}

void MmioTransport::activate() {
  std::vector<Queue> opened;
  opened.reserve(queues_.size());
  for (QueueState& queue : queues_) {
    opened.push_back(queue.ready ? std::move(*queue.opened) : Queue());
    queue.opened.reset();
  }
  device_.activate(std::move(opened), *this);
  for (QueueState& queue : queues_) {
    if (std::exchange(queue.notified_early, false)) base::signal_eventfd(queue.notify.get());
  }
}

void MmioTransport::reset() {
  device_.reset();
  for (QueueState& queue : queues_) {
    queue.layout = {};
    queue.opened.reset();
    queue.ready = false;
    queue.notified_early = false;
  }
  registers_ = {};
  interrupt_status_.store(0, std::memory_order_release);
}

std::uint64_t MmioTransport::offered_features() const {
  return device_.features() | abi::feature_version_1 | abi::feature_event_index |
         abi::feature_indirect;
}

RingFeatures MmioTransport::ring_features() const {
  return {.event_index = (registers_.driver_features & abi::feature_event_index) != 0,
          .indirect = (registers_.driver_features & abi::feature_indirect) != 0};
}

void MmioTransport::save(StateWriter& writer) {
  const std::lock_guard lock(device_.mutex());
  device_.drain();
  writer.section("virtio device");
  writer.put(device_.type());
  writer.put_list(device_.config());
  writer.put(registers_);
  writer.put(interrupt_status_.load());
  for (const QueueState& queue : queues_) {
    writer.put(queue.layout);
    writer.put(queue.ready);
  }
  device_.save(writer);
}

void MmioTransport::restore(StateReader& reader) {
  const std::lock_guard lock(device_.mutex());
  reader.section("virtio device");
  check_same_device(reader);
  registers_ = reader.get<Registers>();
  interrupt_status_ = reader.get<std::uint32_t>();
  for (QueueState& queue : queues_) {
    queue.layout = reader.get<QueueLayout>();
    if (reader.get<bool>()) set_queue_ready(queue);
  }
  if ((registers_.status & abi::status_driver_ok) != 0) activate();
  device_.restore(reader);
  // A notification may still have been on its way to us; one too many does no harm.
  for (const QueueState& queue : queues_) base::signal_eventfd(queue.notify.get());
}

void MmioTransport::check_same_device(StateReader& reader) const {
  const auto type = reader.get<std::uint32_t>();
  const auto config = reader.get_list<std::byte>();
  if (type != device_.type()) {
    throw base::Error(
        base::ErrorKind::unsupported,
        fmt::format("the snapshot has a virtio device of type {} where the machine has one of "
                    "type {}",
                    type, device_.type()),
        "start it with the disks and ports that the machine had, in their order");
  }
  if (!std::ranges::equal(config, device_.config())) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("a virtio device of type {} is not the size that it has in the "
                                  "snapshot",
                                  type),
                      "start it with the disks and ports that the machine had, in their order");
  }
}

void MmioTransport::process_queue(std::uint16_t queue) {
  const std::lock_guard lock(device_.mutex());
  if (queue >= queues_.size()) return;
  queues_[queue].notified_early = !device_.active();
  device_.process_queue(queue);
}

void MmioTransport::interrupt() { raise(abi::mmio::interrupt_used_buffer); }

void MmioTransport::needs_reset() {
  registers_.status |= abi::status_needs_reset;
  raise(abi::mmio::interrupt_config_change);  // 2.1.2
}

void MmioTransport::process_again(std::uint16_t queue) {
  base::signal_eventfd(queues_[queue].notify.get());
}

void MmioTransport::raise(std::uint32_t cause) {
  interrupt_status_.fetch_or(cause, std::memory_order_acq_rel);
  interrupt_line_();
}

void MmioTransport::violation(const char* what) {
  violations_.fetch_add(1, std::memory_order_relaxed);
  base::log(base::LogLevel::debug, "the guest's driver of virtio device type {} is wrong: {}",
            device_.type(), what);
}

}  // namespace twinbox::vmm::virtio
