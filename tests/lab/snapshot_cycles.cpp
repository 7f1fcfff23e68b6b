// A Linux guest at work on all its processors is saved, ended and started from what was saved,
// again and again: it goes on reading its disk and sleeping, and computes what it computed before.
// Run in the lab, or on any host with hardware virtualization: snapshot_cycles [PROCESSORS
// [CYCLES]]. Exits 0 when all went on rightly.
#include <fmt/format.h>
#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/syscall.hpp"
#include "image/store.hpp"
#include "image/workload.hpp"
#include "sandbox/protocol.hpp"
#include "sandbox/spec_message.hpp"
#include "vmm/agent_port.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/monitor_process.hpp"

namespace twinbox {
namespace {

namespace protocol = sandbox::protocol;
using protocol::FrameType;

// Each processor reads the disk past the page cache, compares the sum, sleeps, and prints its
// number.
constexpr const char* workload = R"sh(
sum() { dd if=/dev/vda bs=64k count=4 iflag=direct 2>/dev/null | md5sum; }
work() {
  while :; do
    [ "$(sum)" = "$right" ] || { echo WRONG; exit 1; }
    usleep 2000; echo $1
  done
}
right=$(sum)
for cpu in $(seq 0 $(($(nproc) - 1))); do
  work $cpu & taskset -p $(printf %x $((1 << cpu))) $! >/dev/null
done
wait
)sh";

// The agent's connection, which outlives its machines: what comes from the next one goes on where
// the last one stopped, in the middle of a frame if it must.
class Guest {
 public:
  explicit Guest(unsigned processors) : processors_(processors), plan_(make_request(processors)) {}

  void boot() { spawn(plan_.machine); }
  void go_on(const std::string& snapshot) {
    auto machine = plan_.machine;
    machine.snapshot = snapshot;
    machine.kernel.clear();
    spawn(machine);
  }

  // Until every processor has worked since the machine was started.
  void wait_for_work() {
    seen_.clear();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
    while (seen_.size() < processors_) {
      if (std::chrono::steady_clock::now() > deadline) fail("a processor does not go on");
      if (ended_) fail("the machine ended: " + ended_->message);
      loop_.run_once(std::chrono::milliseconds(100));
    }
  }

  void save_and_end(const std::string& path) {
    bool saved = false;
    monitor_->order({vmm::Command::pause}, [](const auto&) {});
    monitor_->order({vmm::Command::snapshot, path}, [&](const auto& answer) {
      if (const auto* const error = std::get_if<base::Error>(&answer)) throw *error;
      saved = true;
    });
    while (!saved) loop_.run_once(std::chrono::milliseconds(100));
    read_port();  // the paused guest says no more
    monitor_->kill();
    while (!ended_) loop_.run_once(std::chrono::milliseconds(100));
    loop_.remove(port_.get());
    monitor_.reset();
  }

 private:
  struct Plan {
    std::string start_box;
    vmm::MachineConfig machine;
  };

  static Plan make_request(unsigned processors) {
    image::Store store;
    const auto image = store.prepare("busybox");
    sandbox::BoxRequest request;
    request.spec = image::make_workload(
        image, {.command = {"sh", "-c", workload}, .env = {}, .working_directory = {}, .user = {}});
    request.spec.resources.cpus = processors;
    request.spec.all_devices = true;
    request.root = image.root;
    const base::Json start{
        {"spec", base::parse_json(sandbox::spec_message(request.spec), "the workload")},
        {"disks", base::Json::array({{{"device", "/dev/vda"}}})}};
    return {start.dump(), vmm::plan_machine(request)};
  }

  [[noreturn]] static void fail(const std::string& what) {
    throw base::Error(base::ErrorKind::system, what);
  }

  void spawn(vmm::MachineConfig machine) {
    auto [ours, guests] = base::make_socket_pair();
    machine.ports.push_back({.name = vmm::agent_port, .descriptor = guests.get()});
    ended_.reset();
    port_ = std::move(ours);
    base::set_nonblocking(port_.get(), true);
    loop_.add(port_.get(), EPOLLIN, [this](std::uint32_t) { read_port(); });
    monitor_.emplace(loop_, std::move(machine),
                     [this](const vmm::MonitorReport& report) { ended_ = *report.end; });
  }

  void read_port() {
    std::array<std::byte, 65536> buffer{};
    while (const auto count = base::read_some(port_.get(), buffer)) {
      if (*count == 0) return;
      decoder_.feed(std::span(buffer).first(*count), [this](const auto& frame) { take(frame); });
    }
  }

  void take(const protocol::Frame& frame) {
    if (frame.type == FrameType::hello) return send(FrameType::start_box, plan_.start_box);
    if (frame.type == FrameType::exited || frame.type == FrameType::failed ||
        frame.type == FrameType::stderr_data) {
      fail("the workload says: " + frame.payload);
    }
    if (frame.type != FrameType::stdout_data) return;
    if (frame.payload.find("WRONG") != std::string::npos) fail("a sum is wrong");
    for (const char c : frame.payload) {
      if (c >= '0' && c <= '7') seen_.insert(c);
    }
    std::string credit;
    protocol::append_u32(credit, static_cast<std::uint32_t>(protocol::Stream::out));
    protocol::append_u32(credit, static_cast<std::uint32_t>(frame.payload.size()));
    send(FrameType::credit, credit);
  }

  void send(FrameType type, std::string_view payload) {
    const auto frame = protocol::encode(type, 1, payload);
    base::set_nonblocking(port_.get(), false);
    base::write_all(port_.get(), frame);
    base::set_nonblocking(port_.get(), true);
  }

  unsigned processors_;
  Plan plan_;
  base::EventLoop loop_;
  protocol::Decoder decoder_;
  base::Fd port_;
  std::optional<vmm::MonitorProcess> monitor_;
  std::optional<vmm::MonitorEnd> ended_;
  std::set<char> seen_;
};

void run(unsigned processors, int cycles) {
  const base::TemporaryDirectory directory;
  const auto path = [&](int cycle) {
    return (directory.path() / std::to_string(cycle % 2)).string();
  };
  Guest guest(processors);
  guest.boot();
  for (int cycle = 0; cycle < cycles; ++cycle) {
    guest.wait_for_work();
    guest.save_and_end(path(cycle));
    guest.go_on(path(cycle));
  }
  guest.wait_for_work();
  fmt::print("{} processors went on through {} cycles\n", processors, cycles);
}

}  // namespace
}  // namespace twinbox

int main(int argc, char** argv) {
  try {
    twinbox::run(argc > 1 ? static_cast<unsigned>(std::stoul(argv[1])) : 4,
                 argc > 2 ? std::stoi(argv[2]) : 10);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "snapshot_cycles: {}\n", error.what());
    return 1;
  }
}
