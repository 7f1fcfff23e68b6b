#include "guest-images/agent/guest.hpp"

#include <sys/reboot.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "guest-images/agent/box.hpp"
#include "guest-images/agent/bring_up.hpp"
#include "guest-images/agent/host_port.hpp"
#include "guest-images/agent/mark_register.hpp"
#include "guest-images/agent/service.hpp"

namespace twinbox::agent {
namespace {

constexpr std::string_view port_name = "twinbox.agent";

[[noreturn]] void power_off() {
  ::sync();
  ::reboot(RB_POWER_OFF);
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
  base::EventLoop loop;
  BoxStarter boxes(loop, [&] { marks.stamp(sandbox::Mark::executed); });
  Service service(loop, {.start_box =
                             [&](auto message, auto& workload, auto on_exit) {
                               return boxes.start(message, workload, std::move(on_exit));
                             },
                         .power_off = power_off,
                         .owns_child = [&](pid_t child) { return boxes.owns(child); }});
  base::log_line(base::LogLevel::info, service.serve(port.open(port_name)));
}

}  // namespace

void run_guest() {
  try {
    serve_host();
  } catch (const std::exception& error) {
    base::log_line(base::LogLevel::error, error.what());
  }
  power_off();
}

}  // namespace twinbox::agent
