#include "vmm/image_plan.hpp"

#include <system_error>

#include "base/size.hpp"
#include "sandbox/guest_box.hpp"

namespace twinbox::vmm {
namespace {

// Each layer begins where a huge page can.
constexpr std::uint64_t unit = 2 * base::mebibyte;
// Sizes go up by this factor.
constexpr std::uint64_t smallest_size = 64 * base::mebibyte;
constexpr std::uint64_t next_size = 4;
// The guest describes each page of it in 1/64 of the page: this is 1/32 of its RAM.
constexpr std::uint64_t most_of_memory = 2;

constexpr const char* device = "/dev/pmem0";

}  // namespace

ImageConfig plan_image(std::span<const std::filesystem::path> layers, std::uint64_t memory_bytes) {
  ImageConfig image;
  std::uint64_t end = 0;
  for (const auto& layer : layers) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(layer, missing);
    if (missing || size == 0) return {};  // whoever opens it tells why
    image.files.push_back({.path = layer.string(), .offset = end, .size = size});
    end += (size + unit - 1) / unit * unit;
  }
  image.size = smallest_size;
  while (image.size < end) image.size *= next_size;
  if (image.size > most_of_memory * memory_bytes) return {};
  return image;
}

// One layer needs no partition, which would have to be made.
std::vector<sandbox::AgentDisk> disks_in(const MachineConfig& machine, std::size_t layers) {
  const auto& image = machine.image;
  if (image.size == 0) return sandbox::whole_disks(layers);
  std::vector<sandbox::AgentDisk> disks;
  for (const auto& file : image.files) {
    sandbox::AgentDisk disk{.device = device};
    if (image.files.size() > 1) {
      disk.start = file.offset;
      disk.size = (file.size + unit - 1) / unit * unit;
    }
    disks.push_back(disk);
  }
  return disks;
}

}  // namespace twinbox::vmm
