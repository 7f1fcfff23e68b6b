#include "vmm/engine.hpp"

#include <linux/kvm.h>

#include <optional>
#include <utility>

#include "base/log.hpp"
#include "sandbox/guest_box.hpp"
#include "sandbox/stamp.hpp"
#include "vmm/kvm/host_support.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/monitor_machine.hpp"
#include "vmm/monitor_record.hpp"
#include "vmm/saved_machine.hpp"

namespace twinbox::vmm {

void VmEngine::check_host() const { kvm::require_linux_guests(kvm::probe_host()); }

// check_host() accepts no other API.
std::vector<std::pair<std::string, std::string>> VmEngine::versions() const {
  return {{"KVM API", std::to_string(KVM_API_VERSION)}};
}

std::unique_ptr<sandbox::Box> VmEngine::create(sandbox::BoxRequest request) {
  if (request.spec.process.args.empty()) {
    throw base::Error(base::ErrorKind::usage, "there is no command to run");
  }
  if (!request.saved.empty()) {
    auto machine = std::make_unique<MonitorMachine>(
        MachinePlans{
            .cold = [saved = read_saved_machine(request.saved, request.root)] { return saved; },
            .warm = {},
            .standby = {}},
        request.directory);
    return std::make_unique<sandbox::GuestBox>(std::move(request), std::move(machine));
  }
  MachinePlans plans{
      .cold = [request] { return plan_machine(request); }, .warm = {}, .standby = {}};
  // Whoever looks at the guest's console wants to see it boot.
  if (!request.spec.vm.cold && base::log_level() != base::LogLevel::debug) {
    plans.warm = [request] { return plan_warm_start(request); };
    // Of one that was started before, the time that it took is not the box's.
    if (request.spec.vm.standby && sandbox::cpu_counter() < 0) {
      plans.standby = standby_place(request);
    }
  }
  auto machine = std::make_unique<MonitorMachine>(std::move(plans), request.directory);
  return std::make_unique<sandbox::GuestBox>(std::move(request), std::move(machine));
}

void VmEngine::clean_up(const std::string&, const std::filesystem::path& directory) {
  kill_recorded_monitor(directory);
}

}  // namespace twinbox::vmm
