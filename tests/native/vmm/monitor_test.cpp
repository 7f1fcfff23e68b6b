// The whole monitor with bare-metal guests that do as they should.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <regex>

#include "base/size.hpp"
#include "base/syscall.hpp"
#include "tests/native/vmm/monitor_fixture.hpp"

namespace twinbox::vmm::testing {
namespace {

using sandbox::Mark;
using Monitor = MonitorFixture;

TEST_F(Monitor, RunsAGuestToItsShutdown) {
  const auto result = run("hello");
  EXPECT_EQ(result.reason(), EndReason::shutdown) << result.end().message;
  EXPECT_EQ(result.serial, "hello from bare metal\n");
  EXPECT_EQ(result.end().last_serial, std::vector<std::string>{"hello from bare metal"});
  EXPECT_GT(result.end().exits.at("io"), 0U);
}

TEST_F(Monitor, TellsTheGuestOfMemoryTablesAndInitrd) {
  base::write_file(scratch("initrd"), "A" + std::string(6000, '.') + "Z");
  for (const auto* guest : {"bare-metal", "bare-metal-pvh"}) {
    auto machine = config("boot-info and more words", guest);
    machine.initrd = scratch("initrd");
    const auto result = run(machine);
    EXPECT_EQ(result.reason(), EndReason::shutdown) << result.end().message;
    EXPECT_TRUE(result.printed("boot-info and more words\n")) << result.serial;
    EXPECT_TRUE(result.printed("ram=0x79fc00\n")) << result.serial;  // 8 MiB less the tables
    EXPECT_TRUE(result.printed("rsdp=0xe0000\n"));
    EXPECT_TRUE(result.printed("initrd size=0x1772\n"));
    EXPECT_TRUE(result.printed("initrd first byte=0x41\n"));
    EXPECT_TRUE(result.printed("initrd last byte=0x5a\n"));
  }
}

TEST_F(Monitor, GivesTheGuestMemoryAboveTheGap) {
  auto machine = config("boot-info");
  machine.memory_bytes = 5 * base::gibibyte;
  const auto result = run(machine);
  EXPECT_TRUE(result.printed("ram=0x13ff9fc00\n")) << result.serial << result.end().message;
}

TEST_F(Monitor, StampsMarksInTheirOrder) {
  const auto result = run("marks");
  const auto& marks = result.report.marks;
  ASSERT_TRUE(marks.at(Mark::entered) && marks.at(Mark::created) && marks.at(Mark::booted) &&
              marks.at(Mark::executed));
  EXPECT_LT(marks.at(Mark::entered), marks.at(Mark::created));
  EXPECT_LT(marks.at(Mark::created), marks.at(Mark::booted));
  EXPECT_LT(marks.at(Mark::booted), marks.at(Mark::executed));
  EXPECT_EQ(result.end().exits_at_boot.at("mmio"), 1U);
  EXPECT_EQ(result.end().exits.at("mmio"), 3U);
}

TEST_F(Monitor, MarksArriveWhileTheGuestRuns) {
  base::EventLoop loop;
  std::vector<Mark> seen;
  bool ended = false;
  const MonitorProcess monitor(
      loop, config("marks"), [&](const MonitorReport&) { ended = true; },
      [&](Mark mark) { seen.push_back(mark); });
  while (!ended) loop.run_once(std::chrono::milliseconds(1000));
  EXPECT_EQ(seen, (std::vector{Mark::entered, Mark::created, Mark::booted, Mark::executed}));
}

TEST_F(Monitor, PassesSerialInputByInterrupts) {
  auto [read_end, write_end] = base::make_pipe();
  auto machine = config("echo");
  machine.serial_in = read_end.get();
  bool sent = false;
  const auto result = run(machine, [&](MonitorProcess&, const std::string& text) {
    if (sent || text.find("ready\n") == std::string::npos) return;
    sent = true;
    base::write_all(write_end.get(), "typed by nobody.");
  });
  EXPECT_EQ(result.reason(), EndReason::shutdown) << result.end().message;
  EXPECT_EQ(result.serial, "ready\ntyped by nobody.");
}

TEST_F(Monitor, GuestDoesNotSufferFromAConsoleThatIsGone) {
  base::EventLoop loop;
  auto [read_end, write_end] = base::make_pipe();
  auto machine = config("hello");
  machine.serial_out = write_end.get();
  read_end.reset();
  std::optional<MonitorEnd> end;
  const MonitorProcess monitor(loop, machine,
                               [&](const MonitorReport& report) { end = report.end; });
  while (!end) loop.run_once(std::chrono::milliseconds(1000));
  EXPECT_EQ(end->reason, EndReason::shutdown) << end->message;
}

TEST_F(Monitor, OrdersThatChangeNothingAreDoneAtOnce) {
  int done = 0;
  const auto result = run(config("spin"), [&](MonitorProcess& monitor, const std::string& text) {
    if (done != 0 || text.find("spinning\n") == std::string::npos) return;
    for (const auto command :
         {Command::resume, Command::pause, Command::pause, Command::resume, Command::resume}) {
      monitor.order({command}, [&](const auto& answer) {
        EXPECT_TRUE(std::holds_alternative<std::monostate>(answer));
        if (++done == 5) monitor.stop();
      });
    }
  });
  EXPECT_EQ(result.reason(), EndReason::stopped) << result.end().message;
  EXPECT_EQ(done, 5);
}

TEST_F(Monitor, ResetsInEveryWayAGuestKnows) {
  for (const auto* way : {"reset-by-keyboard", "reset-by-register"}) {
    EXPECT_EQ(run(way).reason(), EndReason::reset) << way;
  }
}

// What the process holds besides its guest's memory, from /proc/PID/smaps.
std::uint64_t own_resident_kib(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/smaps");
  const std::regex header("^[0-9a-f]+-[0-9a-f]+ .*");
  const std::regex resident("^Rss: +([0-9]+) kB");
  std::uint64_t total = 0;
  bool guests = false;
  std::smatch match;
  for (std::string line; std::getline(maps, line);) {
    if (std::regex_match(line, header)) {
      guests = line.find("twinbox-guest-ram") != std::string::npos ||
               line.find("/guests/") != std::string::npos;
    } else if (!guests && std::regex_search(line, match, resident)) {
      total += std::stoull(match[1]);
    }
  }
  return total;
}

TEST_F(Monitor, HoldsLittleMemoryOfItsOwn) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's memory is not the monitor's";
#endif
  std::uint64_t resident = 0;
  run(config("spin"), [&](MonitorProcess& monitor, const std::string& text) {
    if (text.find("spinning\n") == std::string::npos) return;
    resident = own_resident_kib(monitor.pid());
    monitor.stop();
  });
  EXPECT_GT(resident, 0U);
  EXPECT_LE(resident, 4096U);
  RecordProperty("resident_kib", static_cast<int>(resident));
}

}  // namespace
}  // namespace twinbox::vmm::testing
