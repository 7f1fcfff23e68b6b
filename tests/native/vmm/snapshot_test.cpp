// Snapshots of bare-metal guests: they go on from where they stood, and nothing else is started.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/size.hpp"
#include "base/syscall.hpp"
#include "tests/native/vmm/monitor_fixture.hpp"
#include "vmm/snapshot/archive.hpp"
#include "vmm/snapshot/format.hpp"

namespace twinbox::vmm::testing {
namespace {

class Snapshot : public MonitorFixture {
 protected:
  // Runs the machine until its guest has printed `text`, pauses it, takes the snapshot and ends it.
  MonitorResult snapshot_after(const MachineConfig& machine, const std::string& text,
                               const std::string& path) {
    bool ordered = false;
    order_error_.clear();
    return run(machine, [&](MonitorProcess& monitor, const std::string& printed) {
      if (ordered || printed.find(text) == std::string::npos) return;
      ordered = true;
      monitor.order({Command::pause}, [](const auto&) {});
      monitor.order({Command::snapshot, path}, [&](const auto& answer) {
        if (const auto* const error = std::get_if<base::Error>(&answer))
          order_error_ = error->what();
        monitor.stop();
      });
    });
  }

  MachineConfig from(const std::string& path, const MachineConfig& machine) const {
    MachineConfig config = machine;
    config.snapshot = path;
    config.kernel.clear();
    return config;
  }

  // A machine that was saved in the middle of its work.
  std::string saved_machine() {
    const auto path = scratch("snapshot");
    const auto result = snapshot_after(config("checksums"), "computing\n+", path);
    EXPECT_EQ(result.reason(), EndReason::stopped) << result.end().message;
    EXPECT_EQ(order_error_, "");
    return path;
  }

  // What a machine that must not start says.
  std::string refusal(const MachineConfig& machine) {
    const auto result = run(machine);
    EXPECT_EQ(result.reason(), EndReason::snapshot_error);
    EXPECT_EQ(result.serial, "");
    return result.end().message;
  }

  // Saved, ended and started from what was saved, again and again; each time it does some work.
  void cycle(const MachineConfig& machine, int times) {
    auto result = snapshot_after(machine, "computing\n+", scratch("0"));
    for (int i = 1; i <= times; ++i) {
      ASSERT_EQ(result.reason(), EndReason::stopped) << i << result.serial << result.end().message;
      ASSERT_EQ(order_error_, "") << i;
      const auto before = scratch(std::to_string(i - 1));
      result = snapshot_after(from(before, machine), "+", scratch(std::to_string(i)));
      ASSERT_EQ(result.serial.find_first_not_of('+'), std::string::npos) << i << result.serial;
      std::filesystem::remove(before);
    }
  }

  std::string order_error_;
};

void change(const std::string& path, std::uint64_t offset, std::byte mask) {
  const auto file = base::open_file(path, O_RDWR);
  std::byte byte{};
  base::pread_exact(file.get(), std::span(&byte, 1), offset);
  byte ^= mask;
  base::pwrite_all(file.get(), std::span(&byte, 1), offset);
}

// Changes a field of the header, and its checksum with it.
template <typename Change>
void change_header(const std::string& path, Change change_fields) {
  const auto file = base::open_file(path, O_RDWR);
  snapshot::Header header;
  base::pread_exact(file.get(), std::as_writable_bytes(std::span(&header, 1)), 0);
  change_fields(header);
  header.header_checksum = snapshot::checksum(header);
  base::pwrite_all(file.get(), std::as_bytes(std::span(&header, 1)), 0);
}

// Changes the state, and the checksums with it. `change` gets the list of extents and the rest.
template <typename Change>
void change_state(const std::string& path, Change change_parts) {
  const auto file = base::open_file(path, O_RDWR);
  snapshot::Header header;
  base::pread_exact(file.get(), std::as_writable_bytes(std::span(&header, 1)), 0);
  std::vector<std::byte> bytes(header.state_size);
  base::pread_exact(file.get(), bytes, header.state_offset);
  StateReader reader(bytes);
  auto extents = reader.get_list<snapshot::Extent>();
  auto rest = reader.get_list<std::byte>();
  change_parts(extents, rest);
  StateWriter writer;
  writer.put_list(std::span<const snapshot::Extent>(extents));
  writer.put_list(std::span<const std::byte>(rest));
  base::pwrite_all(file.get(), writer.bytes(), header.state_offset);
  std::filesystem::resize_file(path, header.state_offset + writer.bytes().size());
  change_header(path, [&](auto& changed) {
    changed.state_size = writer.bytes().size();
    changed.state_checksum = snapshot::checksum(writer.bytes());
  });
}

TEST_F(Snapshot, GoesOnComputingThroughManyCycles) { cycle(config("checksums"), 20); }

TEST_F(Snapshot, GoesOnUnderTimerAndDiskLoad) {
  base::write_file(scratch("disk"), std::string(64 * 512, '\0'));
  auto machine = config("timer-and-disk");
  machine.disks.push_back({.path = scratch("disk")});
  cycle(machine, 200);
}

TEST_F(Snapshot, LeavesTheMachineRunningThatItIsTakenOf) {
  std::size_t before = 0;
  const auto path = scratch("snapshot");
  bool taken = false;
  const auto result =
      run(config("checksums"), [&](MonitorProcess& monitor, const std::string& printed) {
        if (before == 0 && printed.find('+') != std::string::npos) {
          before = printed.size();
          monitor.order({Command::snapshot, path}, [&](const auto& answer) {
            EXPECT_TRUE(std::holds_alternative<std::monostate>(answer));
            taken = true;
          });
        }
        if (taken && printed.size() > before + 3) monitor.stop();
      });
  EXPECT_EQ(result.reason(), EndReason::stopped) << result.serial;
  EXPECT_GT(result.serial.size(), before + 3);
}

TEST_F(Snapshot, HasHolesForWhatTheGuestNeverTouched) {
  auto machine = config("checksums");
  machine.memory_bytes = 512 * base::mebibyte;
  const auto path = scratch("snapshot");
  snapshot_after(machine, "computing\n+", path);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0) << order_error_;
  EXPECT_GT(static_cast<std::uint64_t>(status.st_size), machine.memory_bytes);
  EXPECT_LT(static_cast<std::uint64_t>(status.st_blocks) * 512, 2 * base::mebibyte);
}

TEST_F(Snapshot, RefusesWhatIsCutShort) {
  const auto path = saved_machine();
  const auto size = std::filesystem::file_size(path);
  for (const auto left : {size - 1, size / 2, std::uintmax_t{4096}, std::uintmax_t{100}}) {
    std::filesystem::resize_file(path, left);
    EXPECT_NE(refusal(from(path, config(""))).find("is damaged: it "), std::string::npos) << left;
  }
}

TEST_F(Snapshot, RefusesEveryFlippedBit) {
  const auto path = saved_machine();
  const auto size = std::filesystem::file_size(path);
  const auto machine = from(path, config(""));
  const auto memory = snapshot::memory_offset;
  // Of the header, of memory that is in use and that is not, and of the state.
  for (const std::uint64_t at : {std::uint64_t{16}, memory + 0x20'0000, memory + 0x70'0123,
                                 memory + 0x10'0000, size - 1, size - 5000}) {
    change(path, at, std::byte{0x10});
    EXPECT_NE(refusal(machine).find("is damaged: "), std::string::npos) << at;
    change(path, at, std::byte{0x10});
  }
  const auto result = run(machine, [](MonitorProcess& monitor, const std::string& printed) {
    if (printed.find('+') != std::string::npos) monitor.stop();
  });
  EXPECT_EQ(result.reason(), EndReason::stopped) << result.end().message;
}

TEST_F(Snapshot, RefusesOtherVersionsKernelsAndSizes) {
  const auto path = saved_machine();
  const auto machine = from(path, config(""));
  auto larger = machine;
  larger.memory_bytes *= 2;
  EXPECT_NE(refusal(larger).find("is of a machine with 8.0 MiB and 1 processors"),
            std::string::npos)
      << refusal(larger);
  auto with_disk = machine;
  base::write_file(scratch("disk"), std::string(512, '\0'));
  with_disk.disks.push_back({.path = scratch("disk")});
  EXPECT_NE(refusal(with_disk).find("virtio device of type"), std::string::npos);

  change_header(path, [](auto& header) { header.host_kernel = {'2', '.', '6'}; });
  EXPECT_NE(refusal(machine).find("taken under Linux 2.6, and this host runs Linux"),
            std::string::npos);
  change_header(path, [](auto& header) { header.version = 99; });
  EXPECT_NE(refusal(machine).find("written in format 99 by twinbox"), std::string::npos);
  change_header(path, [](auto& header) { header.magic[0] = 'X'; });
  EXPECT_NE(refusal(machine).find("is no snapshot of a machine"), std::string::npos);
  EXPECT_NE(refusal(from(scratch("nothing"), machine)).find("No such file"), std::string::npos);
}

// Whoever made it made its checksums as well.
TEST_F(Snapshot, RefusesSizesThatDoNotFitTogether) {
  const auto path = saved_machine();
  const auto good = scratch("good");
  std::filesystem::copy_file(path, good);
  const auto machine = from(path, config(""));
  using Extents = std::vector<snapshot::Extent>;
  using Rest = std::vector<std::byte>;
  const auto expect_refusal = [&](auto change_parts, const char* reason) {
    std::filesystem::copy_file(good, path, std::filesystem::copy_options::overwrite_existing);
    change_state(path, change_parts);
    const auto message = refusal(machine);
    EXPECT_NE(message.find(reason), std::string::npos) << message;
  };
  expect_refusal([](Extents&, Rest& rest) { rest.resize(rest.size() + 8); }, "more state than");
  const auto no_memory = "bytes of memory at";
  expect_refusal([](Extents& all, Rest&) { std::swap(all.front(), all.back()); }, no_memory);
  expect_refusal([](Extents& all, Rest&) { all.back().offset = ~std::uint64_t{4095}; }, no_memory);
  expect_refusal([](Extents& all, Rest&) { all.back().size = 1U << 30; }, no_memory);
  expect_refusal([](Extents& all, Rest&) { all.front().size = 100; }, no_memory);

  std::filesystem::copy_file(good, path, std::filesystem::copy_options::overwrite_existing);
  change_header(path, [](auto& header) {
    header.memory_size += std::uint64_t{1} << 63;
    header.state_offset += std::uint64_t{1} << 63;
    header.state_size += std::uint64_t{1} << 63;
  });
  EXPECT_NE(refusal(machine).find("and not those of"), std::string::npos) << refusal(machine);
}

TEST_F(Snapshot, IsNotToBlameForWhatElseIsWrong) {
  auto machine = from(saved_machine(), config(""));
  machine.disks.push_back({.path = scratch("missing")});
  const auto result = run(machine);
  EXPECT_EQ(result.reason(), EndReason::setup_error) << result.end().message;
}

// Whenever the monitor dies, there is the old snapshot, whole, or the new one.
TEST_F(Snapshot, KeepsTheOldOneWhenKilledMeanwhile) {
  const auto path = saved_machine();
  for (int delay_us = 0; delay_us < 4000; delay_us += 400) {
    bool ordered = false;
    run(config("checksums"), [&](MonitorProcess& monitor, const std::string& printed) {
      if (ordered || printed.find('+') == std::string::npos) return;
      ordered = true;
      monitor.order({Command::snapshot, path}, [](const auto&) {});
      ::usleep(static_cast<useconds_t>(delay_us));
      monitor.kill();
    });
    const auto result =
        run(from(path, config("")), [](MonitorProcess& monitor, const std::string& printed) {
          if (printed.find('+') != std::string::npos) monitor.stop();
        });
    ASSERT_EQ(result.reason(), EndReason::stopped) << delay_us << result.end().message;
  }
}

TEST_F(Snapshot, SaysWhyItCannotBeTaken) {
  const auto result = snapshot_after(config("checksums"), "+", scratch("no/such/directory"));
  EXPECT_EQ(result.reason(), EndReason::stopped);
  EXPECT_NE(order_error_.find("No such file or directory"), std::string::npos) << order_error_;
}

TEST_F(Snapshot, SaysWhatToDoWhereThereIsNoRoom) {
  const auto small = scratch("small");
  std::filesystem::create_directory(small);
  if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "needs root";
  const auto result = snapshot_after(config("checksums"), "computing\n+", small + "/snapshot");
  EXPECT_TRUE(std::filesystem::is_empty(small));
  ::umount2(small.c_str(), MNT_DETACH);
  EXPECT_EQ(result.reason(), EndReason::stopped) << result.end().message;
  for (const auto* part :
       {"small/snapshot: ", "No space left on device", "twinbox snapshot prune"}) {
    EXPECT_NE(order_error_.find(part), std::string::npos) << order_error_;
  }
}

}  // namespace
}  // namespace twinbox::vmm::testing
