#include "tests/native/vmm/monitor_fixture.hpp"

#include <sys/epoll.h>

#include <array>
#include <chrono>

#include "base/size.hpp"
#include "base/syscall.hpp"
#include "tests/native/vmm/bare_machine.hpp"

namespace twinbox::vmm::testing {

void MonitorFixture::SetUp() { SKIP_WITHOUT_KVM(); }

MachineConfig MonitorFixture::config(const std::string& scenario, const std::string& guest) const {
  MachineConfig made;
  made.kernel = TEST_GUESTS "/" + guest;
  made.command_line = scenario;
  made.memory_bytes = 8 * base::mebibyte;
  return made;
}

MonitorResult MonitorFixture::run(MachineConfig config, TextHandler on_text) {
  base::EventLoop loop;
  MonitorResult result;
  auto [read_end, write_end] = base::make_pipe();
  config.serial_out = write_end.get();
  MonitorProcess monitor(loop, config,
                         [&](const MonitorReport& report) { result.report = report; });
  write_end.reset();  // the monitor's own is the last one: its end is the end of the text
  bool text_ended = false;
  loop.add(read_end.get(), EPOLLIN, [&](std::uint32_t) {
    std::array<std::byte, 4096> buffer{};
    const auto count = base::read_some(read_end.get(), buffer).value_or(0);
    if (count == 0) {
      text_ended = true;
      loop.remove(read_end.get());
      return;
    }
    result.serial.append(reinterpret_cast<const char*>(buffer.data()), count);
    if (on_text) on_text(monitor, result.serial);
  });
  const auto timer = loop.add_timer(std::chrono::seconds(120), [&] {
    ADD_FAILURE() << "the monitor does not end; the guest printed: " << result.serial;
    monitor.kill();
  });
  while (!result.report.end || !text_ended) loop.run_once(std::chrono::milliseconds(1000));
  loop.cancel_timer(timer);
  return result;
}

}  // namespace twinbox::vmm::testing
