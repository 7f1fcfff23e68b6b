#include "vmm/diagnosis.hpp"

#include "base/error.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::vmm {
namespace {

// Where the first instruction after a processor's reset is.
constexpr std::uint64_t reset_rip = 0xfff0;
constexpr std::uint64_t reset_code_base = 0xffff'0000;

// What a stopped vCPU looked like.
struct Scene {
  std::uint64_t rip = 0;
  bool lost = false;  // AMD's SVM leaves nothing of the state at a triple fault: KVM resets it
  bool empty_interrupt_table = false;
};

Scene look_at(const kvm::Vcpu& vcpu) {
  const auto general = vcpu.registers();
  const auto special = vcpu.special_registers();
  Scene scene{.rip = general.rip};
  scene.lost = general.rip == reset_rip && special.cs.base == reset_code_base;
  if (scene.lost) scene.rip = vcpu.rip_at_last_exit();
  scene.empty_interrupt_table = !scene.lost && special.idt.limit == 0;
  return scene;
}

std::string place(const Scene& scene, unsigned vcpu) {
  if (!scene.lost) return fmt::format("vCPU {} was at RIP {:#x}", vcpu, scene.rip);
  if (scene.rip == 0) return fmt::format("vCPU {} had not yet used any device", vcpu);
  return fmt::format(
      "this processor (SVM) does not keep the place; vCPU {} last used a device at RIP {:#x}", vcpu,
      scene.rip);
}

// A guest resets by a triple fault on purpose with Linux's reboot=t: it loads an empty interrupt
// table first, which no kernel runs with. Where SVM has lost that, a guest that had booted is
// believed to have meant it.
bool is_reset(const Scene& scene, bool booted) {
  return scene.empty_interrupt_table || (scene.lost && booted);
}

std::string how_far_hint(const MonitorEnd& end) {
  if (!end.last_serial.empty()) return "the guest's last lines tell how far it came";
  return "boot the same kernel with a serial console to see how far it comes: twinbox boot "
         "--kernel "
         "... --cmdline 'console=ttyS0 ignore_loglevel'";
}

void describe_triple_fault(MonitorEnd& end, const Scene& scene, unsigned vcpu, bool booted) {
  if (is_reset(scene, booted)) {
    end.reason = EndReason::reset;
    end.message = "the guest reset its machine by a triple fault";
    return;
  }
  end.message =
      "the guest met a fault that it had no handler for (a triple fault): " + place(scene, vcpu);
  end.hint =
      "boot with console=ttyS0 earlyprintk=ttyS0 to see how far it came; check that the kernel is "
      "for x86-64 and has the memory it needs. A kernel told to reboot=t ends like this on "
      "purpose: "
      "use reboot=a";
}

void describe_kvm_error(MonitorEnd& end, const kvm::VcpuEnd& fault, const std::string& where,
                        const Machine& machine) {
  // What the guest cannot have is no page, where a file of its has fewer of them now.
  if (const auto path = machine.image ? machine.image->shortened() : std::nullopt) {
    end.message = fmt::format("{} was made shorter while the guest used it ({})", *path, where);
    end.hint = "do not change files that machines use; import the image again";
    return;
  }
  const auto host = kvm::probe_host();
  if (host.kind == kvm::HostKind::emulated) {
    end.message = fmt::format("this host cannot run the guest any further. {} ({}; {})",
                              host.explanation, fault.detail, where);
    end.hint = host.hint;
    return;
  }
  const bool refused = fault.fault == kvm::VcpuFault::entry_refused;
  end.message = fmt::format("{} ({}; {})",
                            refused ? "the processor refused to enter the guest's state"
                                    : "KVM could not go on running the guest",
                            fault.detail, where);
  end.hint = "see dmesg on the host; with nested virtualization, try on the outer host";
}

// A kernel that panics resets by itself (panic=-1); where an agent is waited for, that is the news.
void describe_reset(MonitorEnd& end, const MachineConfig& config, bool booted) {
  end.message = "the guest asked for a reset";
  if (booted || config.boot_limit_ms == 0) return;
  end.message += " before it had come up: its kernel panicked, most likely";
  end.hint = how_far_hint(end);
}

void describe_boot_limit(MonitorEnd& end, const std::string& where, const MachineConfig& config) {
  end.message =
      fmt::format("the guest did not come up within {} ms: {}", config.boot_limit_ms, where);
  end.hint = how_far_hint(end);
}

}  // namespace

MonitorEnd describe_end(const EndRequest& request, const Machine& machine,
                        const MachineConfig& config, bool booted) {
  MonitorEnd end{.reason = request.reason};
  end.exits = machine.exits();
  end.last_serial = machine.last_serial_lines();
  const Scene scene = look_at(*machine.vcpus.at(request.vcpu));
  if (scene.rip != 0) end.rip = scene.rip;
  switch (request.reason) {
    case EndReason::shutdown:
      end.message = "the guest powered its machine off";
      break;
    case EndReason::reset:
      describe_reset(end, config, booted);
      break;
    case EndReason::stopped:
      end.message = "the monitor was asked to end";
      break;
    case EndReason::triple_fault:
      describe_triple_fault(end, scene, request.vcpu, booted);
      break;
    case EndReason::boot_limit:
      describe_boot_limit(end, place(scene, request.vcpu), config);
      break;
    default:
      describe_kvm_error(end, request.fault.value_or(kvm::VcpuEnd{}), place(scene, request.vcpu),
                         machine);
  }
  return end;
}

}  // namespace twinbox::vmm
