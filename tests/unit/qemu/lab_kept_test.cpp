// What commands make of the files of a kept lab, without a machine.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "qemu/lab.hpp"
#include "qemu/lab/kept.hpp"

namespace twinbox::qemu {
namespace {

// A directory as it is beside a supervisor that lives; nobody listens at the agents' sockets.
class LabKept : public testing::Test {
 protected:
  LabKept() {
    ::setenv("TWINBOX_ROOT", root_.path().c_str(), 1);
    base::make_directories(kept_lab_directory());
    base::write_file(kept_lab_directory() / "log", "");
    alive_ = base::open_file(kept_lab_directory() / "alive", O_RDWR | O_CREAT);
    EXPECT_EQ(::flock(alive_.get(), LOCK_EX | LOCK_NB), 0);
  }
  ~LabKept() override { ::unsetenv("TWINBOX_ROOT"); }

  static void write_state(const std::string& text) {
    base::write_file(kept_lab_directory() / "state.json", text);
  }

 private:
  const base::TemporaryDirectory root_;
  base::Fd alive_;
};

std::string error_of_a_command() {
  try {
    lab_exec({.kernel = {}, .memory_bytes = {}, .with = {}}, {.args = {"true"}, .out = {}});
  } catch (const base::Error& error) {
    return error.message();
  }
  return "none";
}

TEST_F(LabKept, TakesCommandsAlthoughAnExtraOfItIsGone) {
  write_state(
      R"({"supervisor": 0, "digest": "", "memory_bytes": 1, "with": ["/nowhere/a:/b", "/nowhere/c"]})");
  // As far as the agent, who is not there.
  const auto error = error_of_a_command();
  EXPECT_NE(error.find("cannot reach the lab"), std::string::npos) << error;
}

TEST_F(LabKept, DoesNotWaitInConnectForALabThatStandsStill) {
  const auto lease = lease_agent();
  const base::Fd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const auto path = (kept_lab_directory() / lease.socket_name).string();
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(static_cast<char*>(address.sun_path), path.size());
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            0);
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  std::vector<base::Fd> not_taken;
  do {
    not_taken.push_back(lease.connect());
  } while (not_taken.back() && not_taken.size() < 16);
  EXPECT_FALSE(not_taken.back());
  EXPECT_GT(not_taken.size(), 1);
}

TEST_F(LabKept, GivesTheAgentThatIsFreeFirst) {
  std::map<std::string, AgentLease> leases;
  while (leases.size() < 16) {
    auto lease = lease_agent();
    const auto name = lease.socket_name;
    leases.emplace(name, std::move(lease));
  }
  auto next = std::async(std::launch::async, [] { return lease_agent().socket_name; });
  EXPECT_EQ(next.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  leases.erase("exec.7");
  EXPECT_EQ(next.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  leases.clear();  // whichever it waits for
  EXPECT_EQ(next.get(), "exec.7");
}

}  // namespace
}  // namespace twinbox::qemu
