// Runs workloads in microVMs of our own monitor, one machine per box.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/size.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::vmm {

// A machine's memory and processors when the workload says nothing, and what they may be.
inline constexpr std::uint64_t default_memory = 256 * base::mebibyte;
inline constexpr std::uint64_t minimum_memory = 80 * base::mebibyte;
inline constexpr unsigned maximum_cpus = 8;

// The workload's limits are the machine's size; its root is request.root.disks, read-only, under an
// overlay that lives in the guest's memory.
class VmEngine : public sandbox::Engine {
 public:
  std::string_view name() const override { return "vm"; }
  void check_host() const override;
  std::unique_ptr<sandbox::Box> create(sandbox::BoxRequest request) override;
  // Ends a monitor that outlived its owner, as named in directory/monitor.json.
  void clean_up(const std::string& id, const std::filesystem::path& directory) override;
};

}  // namespace twinbox::vmm
