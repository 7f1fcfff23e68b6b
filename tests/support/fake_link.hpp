// A transport that only counts what a virtio device asks of it.
#pragma once

#include <cstdint>
#include <vector>

#include "vmm/virtio/device.hpp"

namespace twinbox::tests {

class FakeLink final : public vmm::virtio::DriverLink {
 public:
  void interrupt() override { ++interrupts; }
  void needs_reset() override { ++resets_asked; }
  void process_again(std::uint16_t queue) override { again.push_back(queue); }

  int interrupts = 0;
  int resets_asked = 0;
  std::vector<std::uint16_t> again;
};

}  // namespace twinbox::tests
