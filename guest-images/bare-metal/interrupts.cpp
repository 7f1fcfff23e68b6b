#include "guest-images/bare-metal/interrupts.hpp"

#include "guest-images/bare-metal/machine.hpp"

namespace guest {
namespace {

constexpr std::uint8_t vector = 0x40;
constexpr std::uint16_t interrupt_gate = 0x8e00;

// Local APIC registers (Intel SDM 3A, table 11-1) and IO-APIC ones (82093AA).
constexpr std::uint64_t apic_end_of_interrupt = platform::local_apic + 0xb0;
constexpr std::uint64_t apic_spurious = platform::local_apic + 0xf0;
constexpr std::uint32_t apic_enabled = 0x1ff;
constexpr std::uint64_t apic_timer_vector = platform::local_apic + 0x320;
constexpr std::uint64_t apic_timer_initial_count = platform::local_apic + 0x380;
constexpr std::uint64_t apic_timer_divide = platform::local_apic + 0x3e0;
constexpr std::uint32_t apic_timer_periodic = 1U << 17;
constexpr std::uint32_t apic_timer_by_one = 0xb;
constexpr std::uint32_t apic_timer_ticks = 4'000'000;  // KVM's are nanoseconds
constexpr std::uint64_t io_apic_select = platform::io_apic;
constexpr std::uint64_t io_apic_window = platform::io_apic + 0x10;
constexpr std::uint32_t io_apic_redirection = 0x10;

struct Gate {
  std::uint16_t offset_low;
  std::uint16_t selector;
  std::uint16_t attributes;
  std::uint16_t offset_middle;
  std::uint32_t offset_high;
  std::uint32_t reserved;
};

struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};

Gate table[vector + 1];
volatile std::uint32_t count;
std::uint64_t handling_ticks;

struct InterruptFrame;

[[gnu::interrupt]] void on_interrupt(InterruptFrame*) {
  count = count + 1;
  const auto start = __builtin_ia32_rdtsc();
  while (__builtin_ia32_rdtsc() - start < handling_ticks) {
  }
  write32(apic_end_of_interrupt, 0);
}

std::uint16_t code_selector() {
  std::uint16_t selector;
  asm volatile("movw %%cs, %0" : "=r"(selector));
  return selector;
}

void load_table() {
  const auto handler = reinterpret_cast<std::uint64_t>(&on_interrupt);
  table[vector] = {static_cast<std::uint16_t>(handler),
                   code_selector(),
                   interrupt_gate,
                   static_cast<std::uint16_t>(handler >> 16),
                   static_cast<std::uint32_t>(handler >> 32),
                   0};
  const TablePointer pointer{sizeof table - 1, reinterpret_cast<std::uint64_t>(table)};
  asm volatile("lidt %0" : : "m"(pointer) : "memory");
}

void write_io_apic(std::uint32_t index, std::uint32_t value) {
  write32(io_apic_select, index);
  write32(io_apic_window, value);
}

}  // namespace

void count_interrupts(std::uint32_t gsi) {
  load_table();
  write32(apic_spurious, apic_enabled);
  write_io_apic(io_apic_redirection + 2 * gsi + 1, 0);  // to the processor with APIC id 0
  write_io_apic(io_apic_redirection + 2 * gsi, vector);
}

void count_timer_interrupts() {
  load_table();
  write32(apic_spurious, apic_enabled);
  write32(apic_timer_divide, apic_timer_by_one);
  write32(apic_timer_vector, apic_timer_periodic | vector);
  write32(apic_timer_initial_count, apic_timer_ticks);
  asm volatile("sti" : : : "memory");
}

void handle_for(std::uint64_t ticks) { handling_ticks = ticks; }

std::uint32_t interrupt_count() { return count; }

void wait_for_interrupt(std::uint32_t seen) {
  while (true) {
    asm volatile("cli" : : : "memory");
    if (count != seen) break;
    // The instruction after STI is still shielded, so no interrupt falls between look and sleep.
    asm volatile("sti; hlt" : : : "memory");
  }
  asm volatile("sti" : : : "memory");
}

}  // namespace guest
