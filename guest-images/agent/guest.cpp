#include "guest-images/agent/guest.hpp"

#include <sys/reboot.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "guest-images/agent/box.hpp"
#include "guest-images/agent/bring_up.hpp"
#include "guest-images/agent/host_port.hpp"
#include "guest-images/agent/identity.hpp"
#include "guest-images/agent/mark_register.hpp"
#include "guest-images/agent/service.hpp"
#include "sandbox/box_words.hpp"
#include "sandbox/protocol.hpp"

namespace twinbox::agent {
namespace {

constexpr std::string_view port_name = "twinbox.agent";
// For the driver's talk with the monitor, also where both are emulated on a busy host.
constexpr std::chrono::seconds port_patience{60};

[[noreturn]] void power_off() {
  ::sync();
  // Without ACPI there is nothing to switch off with, and Linux would only halt its processors; the
  // machine ends with a reset as well.
  ::reboot(::access("/sys/firmware/acpi", F_OK) == 0 ? RB_POWER_OFF : RB_AUTOBOOT);
  // Where the machine cannot be switched off, an init that ends makes the kernel panic, which its
  // monitor notices too.
  ::_exit(0);
}

void serve_host() {
  const auto initramfs = set_up_root();
  MarkRegister marks(kernel_parameter("twinbox.marks"));
  marks.stamp(sandbox::Mark::booted);
  HostPort port;
  load_modules(initramfs.get());
  give_small_pieces_back();
  base::EventLoop loop;
  Boxes boxes(loop, [&] { marks.stamp(sandbox::Mark::executed); });
  Service service(
      loop, {.start_box =
                 [&](auto id, auto message, auto& workload, auto on_exit) {
                   return boxes.start(id, message, workload, std::move(on_exit));
                 },
             .exec = [&](auto box, auto request) { return boxes.exec(box, std::move(request)); },
             .ask = [&](auto box, const auto& question,
                        const auto& answer) { sandbox::ask_box(boxes.at(box), question, answer); },
             .power_off = power_off,
             .freeze = [&] { boxes.freeze(); },
             .thaw = [&] { boxes.thaw(); },
             .become_copy =
                 [&](const auto& identity) {
                   marks.stamp(sandbox::Mark::booted);
                   become_copy(identity);
                   boxes.become_copy(identity.template get_or<std::string>("hostname", ""));
                 },
             .expect_image = [&](const auto& disks,
                                 auto done) { boxes.expect_image(disks, std::move(done)); },
             .owns_child = [&](pid_t child) { return boxes.own(child); }});
  base::log_line(base::LogLevel::info, service.serve(port.open(port_name, port_patience)));
}

// What ends the guest, for its console and, if the port is there already, for the host. The port is
// left blocking: the write returns when the monitor has taken it, before the machine goes.
void last_words(const std::string& text) {
  base::log_line(base::LogLevel::error, text);
  try {
    const auto port = HostPort().open(port_name, {});
    base::write_all(port.get(),
                    sandbox::protocol::encode(sandbox::protocol::FrameType::log, 0, text));
  } catch (const std::exception&) {
    // There is nobody to tell.
  }
}

}  // namespace

void run_guest() {
  try {
    serve_host();
  } catch (const std::exception& error) {
    last_words(error.what());
  }
  power_off();
}

}  // namespace twinbox::agent
