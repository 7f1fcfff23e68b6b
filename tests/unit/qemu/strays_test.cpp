#include "qemu/libvirt/strays.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::qemu::libvirt {
namespace {

// A process that waits for ever, run as `program` with `argument`; there for sure once made.
class Sleeper {
 public:
  Sleeper(const std::string& program, const std::string& argument) {
    auto [read_end, write_end] = base::make_pipe();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(read_end.get(), 0);
      ::execl("/bin/sh", program.c_str(), "-c", "read never", argument.c_str(), nullptr);
      ::_exit(127);
    }
    keeps_waiting_ = std::move(write_end);
    const auto wanted = program + std::string(1, '\0') + "-c";
    while (base::read_file("/proc/" + std::to_string(pid_) + "/cmdline").rfind(wanted, 0) != 0) {
      ::usleep(1000);
    }
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    if (reaped_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  bool runs() {
    reaped_ = reaped_ || ::waitpid(pid_, nullptr, WNOHANG) == pid_;
    return !reaped_;
  }

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  base::Fd keeps_waiting_;
};

constexpr const char* qemu = "/somewhere/qemu-system-x86_64";

TEST(Strays, AreKilledByAnArgument) {
  Sleeper meant(qemu, "guest=5ca1ab1e0001,debug-threads=on");
  Sleeper other(qemu, "guest=5ca1ab1e0002,debug-threads=on");
  kill_strays("guest=5ca1ab1e0001,");
  EXPECT_FALSE(meant.runs());
  EXPECT_TRUE(other.runs());
}

TEST(Strays, AreNoProcessesButQemus) {
  Sleeper editor("/usr/bin/less", "/run/twinbox/5ca1ab1e0003/console.log");
  kill_strays("/run/twinbox/5ca1ab1e0003/");
  EXPECT_TRUE(editor.runs());
}

TEST(Strays, OfWhichThereAreNoneAreNoError) { kill_strays("guest=5ca1ab1e0004,"); }

}  // namespace
}  // namespace twinbox::qemu::libvirt
