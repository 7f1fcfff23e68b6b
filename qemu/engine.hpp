// Runs workloads in QEMU machines through libvirt: the baseline that microVMs are compared with,
// and the fallback where the host has no hardware virtualization.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sandbox/engine.hpp"

namespace twinbox::qemu {

struct QemuOptions {
  // Gives the stock kernel in a form that boots sooner (QEMU takes an uncompressed ELF); may be
  // empty. Other kernels are booted as they are.
  std::function<std::filesystem::path(const std::filesystem::path& kernel)> prepare_kernel{};
};

// The guest is that of the engine `vm`: the same kernel, agent and disks, the same sizes for the
// same limits. KVM runs it where the processor has hardware virtualization, QEMU's emulation
// elsewhere.
class QemuEngine : public sandbox::Engine {
 public:
  explicit QemuEngine(QemuOptions options = {}) : options_(std::move(options)) {}

  std::string_view name() const override { return "qemu"; }
  void check_host() const override;
  std::vector<std::pair<std::string, std::string>> versions() const override;
  std::unique_ptr<sandbox::Box> create(sandbox::BoxRequest request) override;
  void clean_up(const std::string& id, const std::filesystem::path& directory) override;

 private:
  QemuOptions options_;
};

// Removes what belongs to no box and was left by killed processes. Cheap; for the start of every
// command.
void clean_up_qemu();

}  // namespace twinbox::qemu
