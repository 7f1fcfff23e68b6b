// Interrupts by the IO-APIC and the first processor's local APIC.
#pragma once

#include <cstdint>

namespace guest {

// Loads an interrupt table and routes the edge-triggered line `gsi` to a handler that counts.
void count_interrupts(std::uint32_t gsi);
// The same for the local APIC's own timer, every few milliseconds.
void count_timer_interrupts();
// Has the handler take that many ticks of the time-stamp counter before it tells the APIC that it
// is done, without leaving the guest.
void handle_for(std::uint64_t ticks);
// How often it was raised since.
std::uint32_t interrupt_count();
// Sleeps until the count is other than `seen`.
void wait_for_interrupt(std::uint32_t seen);

}  // namespace guest
