// The block device (virtio 1.2, 5.2) on a raw file: the loop parses and completes, and reads what
// is in the page cache; worker threads execute the rest.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "vmm/virtio/block_request.hpp"
#include "vmm/virtio/device.hpp"

namespace twinbox::vmm::virtio {

class BlockWorkers;

class Block final : public VirtioDevice {
 public:
  static constexpr std::uint16_t queue_size = 128;

  Block(base::EventLoop& loop, Disk disk);
  ~Block() override;

  std::uint32_t type() const override { return abi::type_block; }
  std::uint64_t features() const override;
  std::span<const std::uint16_t> queue_sizes() const override { return queue_sizes_; }
  std::span<const std::byte> config() const override {
    return std::as_bytes(std::span(&config_, 1));
  }

 private:
  void on_queue(std::uint16_t index) override;
  void on_reset() override;
  void on_drain() override;
  void complete_finished();
  // Completes a chain, and logs what the host says of its failure, the first few times.
  void complete(DescriptorChain chain, const BlockRequest& request, const BlockResult& result);

  static constexpr std::array<std::uint16_t, 1> queue_sizes_{queue_size};

  base::EventLoop& loop_;
  Disk disk_;
  abi::block::Config config_{};
  std::unique_ptr<BlockWorkers> workers_;
  std::uint64_t failures_ = 0;
};

}  // namespace twinbox::vmm::virtio
