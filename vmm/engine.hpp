// Runs workloads in microVMs of our own monitor, one machine per box.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "sandbox/engine.hpp"

namespace twinbox::vmm {

// The workload's limits are the machine's size; its root is request.root.disks, read-only, under an
// overlay that lives in the guest's memory.
class VmEngine : public sandbox::Engine {
 public:
  std::string_view name() const override { return "vm"; }
  void check_host() const override;
  std::vector<std::pair<std::string, std::string>> versions() const override;
  std::unique_ptr<sandbox::Box> create(sandbox::BoxRequest request) override;
  // Ends a monitor that outlived its owner, as named in directory/monitor.json.
  void clean_up(const std::string& id, const std::filesystem::path& directory) override;
};

}  // namespace twinbox::vmm
