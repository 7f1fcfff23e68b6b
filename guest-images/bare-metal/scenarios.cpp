// What the bare-metal guest can do, by the first word of its command line. Tests name these.
#include "guest-images/bare-metal/interrupts.hpp"
#include "guest-images/bare-metal/machine.hpp"
#include "guest-images/bare-metal/virtio_driver.hpp"

namespace guest {
namespace {

void hello(const BootInfo&) { print("hello from bare metal\n"); }

void boot_info(const BootInfo& boot) {
  print(boot.protocol);
  print("\n");
  print(boot.command_line);
  print("\n");
  print_value("ram", boot.ram_bytes);
  print_value("rsdp", boot.rsdp);
  print_value("initrd size", boot.initrd_size);
  if (boot.initrd_size != 0) {
    print_value("initrd first byte", *reinterpret_cast<const std::uint8_t*>(boot.initrd_start));
    print_value("initrd last byte",
                *reinterpret_cast<const std::uint8_t*>(boot.initrd_start + boot.initrd_size - 1));
  }
}

// Both marks that a guest stamps, by their numbers in sandbox/marks.hpp.
void marks(const BootInfo&) {
  constexpr std::uint32_t booted = 3;
  constexpr std::uint32_t executed = 4;
  write32(platform::mark_register, booted);
  write32(platform::mark_register, 0xffff'ffff);  // no mark: must do no harm
  write32(platform::mark_register, executed);
}

// A known number of accesses that nothing answers: they are exits all the same, and read as ones.
void count_exits(const BootInfo&) {
  for (int i = 0; i < 100; ++i) out8(0x80, 0);
  std::uint32_t ones = 0xffff'ffff;
  for (int i = 0; i < 50; ++i) ones &= read32(platform::test_doorbell);
  print_value("read", ones);
}

void interrupts(const BootInfo&) {
  count_interrupts(platform::test_gsi);
  print("ready\n");
  for (std::uint32_t seen = 0; seen < 5; ++seen) {
    wait_for_interrupt(seen);
    print_value("interrupts", interrupt_count());
  }
}

void slow_interrupts(const BootInfo& boot) {
  handle_for(20'000'000);  // some turns of a host's clock
  interrupts(boot);
}

void doorbell(const BootInfo&) {
  for (int i = 0; i < 3; ++i) write32(platform::test_doorbell, platform::test_doorbell_value);
  write32(platform::test_doorbell,
          platform::test_doorbell_value + 1);  // another value is not the doorbell's
}

// Echoes the serial line by interrupts until a "." comes.
void echo(const BootInfo&) {
  constexpr std::uint8_t data_ready = 1;
  count_interrupts(platform::serial_gsi);
  out8(platform::serial_port + 1, 1);  // receive interrupts
  out8(platform::serial_port + 4, 8);  // OUT2 connects them
  print("ready\n");
  for (std::uint32_t seen = 0;; seen = interrupt_count()) {
    wait_for_interrupt(seen);
    while ((in8(platform::serial_port + 5) & data_ready) != 0) {
      const char text[] = {static_cast<char>(in8(platform::serial_port)), '\0'};
      print(text);
      if (text[0] == '.') return;
    }
  }
}

// Counts in memory, without ever leaving the guest.
void spin(const BootInfo&) {
  print("spinning\n");
  static volatile std::uint64_t turns;
  while (true) turns = turns + 1;
}

// A table of which each round checks and changes a part: a page that is lost, doubled or of another
// moment shows in the next.
constexpr std::uint64_t table_words = 64 * 1024;  // 512 KiB
std::uint64_t table[table_words];
volatile std::uint64_t rounds;

void fill_table() {
  for (std::uint64_t i = 0; i < table_words; ++i) table[i] = i;
}

bool check_table() {
  const std::uint64_t round = rounds;
  for (std::uint64_t i = 0; i < table_words; i += 61) {
    if (table[i] != i + round) {
      print_value("wrong at", i);
      print_value("in round", round);
      print_value("there is", table[i]);
      return false;
    }
    table[i] = i + round + 1;
  }
  rounds = round + 1;
  print("+");
  return true;
}

void checksums(const BootInfo&) {
  fill_table();
  print("computing\n");
  while (check_table()) {
  }
}

// The same while a disk is written and read back, and the local APIC's timer interrupts: each turn
// sleeps until it does, so that a timer that was lost shows.
void timer_and_disk(const BootInfo&) {
  fill_table();
  count_timer_interrupts();
  print("computing\n");
  virtio_disk_load([] {
    if (!check_table()) power_off();
    wait_for_interrupt(interrupt_count());
  });
}

// Asleep for good: nothing will interrupt it.
void halt(const BootInfo&) {
  print("halting\n");
  while (true) asm volatile("cli; hlt");
}

extern "C" const char faulting_instruction[];

[[gnu::noinline]] void fault(const BootInfo&) {
  print_value("faulting at", reinterpret_cast<std::uint64_t>(faulting_instruction));
  asm volatile(".globl faulting_instruction\nfaulting_instruction: ud2");
}

// As Linux does for reboot=t.
void reset_by_fault(const BootInfo&) {
  static const std::uint64_t empty[2] = {0, 0};
  asm volatile("lidt %0; ud2" : : "m"(empty));
}

void reset_by_keyboard(const BootInfo&) {
  out8(platform::keyboard_command_port, 0xfe);
  halt_forever();
}

void reset_by_register(const BootInfo&) {
  out8(platform::reset_port, 0x06);
  halt_forever();
}

struct Scenario {
  const char* name;
  void (*run)(const BootInfo&);
};

constexpr Scenario scenarios[] = {
    {"hello", hello},
    {"boot-info", boot_info},
    {"marks", marks},
    {"count-exits", count_exits},
    {"interrupts", interrupts},
    {"slow-interrupts", slow_interrupts},
    {"doorbell", doorbell},
    {"echo", echo},
    {"spin", spin},
    {"checksums", checksums},
    {"timer-and-disk", timer_and_disk},
    {"halt", halt},
    {"fault", fault},
    {"reset-by-fault", reset_by_fault},
    {"reset-by-keyboard", reset_by_keyboard},
    {"reset-by-register", reset_by_register},
    {"virtio-probe", [](const BootInfo&) { virtio_probe(); }},
    {"virtio-entropy", [](const BootInfo&) { virtio_entropy(); }},
    {"virtio-status", [](const BootInfo&) { virtio_status(); }},
    {"virtio-bad-descriptor", [](const BootInfo&) { virtio_bad_descriptor(); }},
};

}  // namespace

void run_scenario(const BootInfo& boot) {
  for (const auto& scenario : scenarios) {
    if (first_word_is(boot.command_line, scenario.name)) return scenario.run(boot);
  }
  print("no such scenario: ");
  print(boot.command_line);
  print("\n");
}

}  // namespace guest
