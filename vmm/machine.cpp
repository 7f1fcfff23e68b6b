#include "vmm/machine.hpp"

namespace twinbox::vmm {

void Machine::start() {
  for (const auto& thread : threads) thread->resume();
}

void Machine::pause() {
  for (const auto& thread : threads) thread->pause();
}

void Machine::resume() {
  for (const auto& vcpu : vcpus) vcpu->tell_was_paused();
  start();
}

void Machine::stop() {
  for (const auto& thread : threads) thread->stop();
}

ExitCounts Machine::exits() const {
  ExitCounts totals;
  for (const auto& thread : threads) thread->exits().add_to(totals);
  return totals;
}

}  // namespace twinbox::vmm
