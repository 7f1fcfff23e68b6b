// What every engine must do: turn a workload into a running box.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "sandbox/marks.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::sandbox {

// Borrowed descriptors that become the workload's streams.
struct Stdio {
  int in = 0;
  int out = 1;
  int err = 2;
};

// An image's layers, lowest first, in both forms.
struct RootFilesystem {
  std::vector<std::filesystem::path> directories;  // unpacked, for overlayfs
  std::vector<std::filesystem::path> disks;        // the same as read-only erofs images
};

struct BoxRequest {
  std::string id;                   // 12 hexadecimal digits, unique on this host
  std::filesystem::path directory;  // the box's own state directory; exists, removed by the caller
  Spec spec;
  RootFilesystem root;
  Stdio stdio;
  std::function<void()> on_executed{};  // may be empty; called from the loop: the workload runs now
};

// Exit statuses of our own, as docker's.
inline constexpr int status_own_error = 125;
inline constexpr int status_cannot_execute = 126;
inline constexpr int status_command_not_found = 127;

struct Outcome {
  int status = 0;           // as a shell reports it: the exit code, or 128 + signal
  bool oom_killed = false;  // the kernel killed it, or one of its processes, for want of memory
  // Why the workload never ran or was lost (status is 125, 126 or 127 then).
  std::optional<base::Error> error;
};

// One box. All calls come from the thread that runs the loop given to start(). The destructor ends
// what still runs and undoes everything the box made on the host.
class Box {
 public:
  using ExitHandler = std::function<void(const Outcome&)>;

  virtual ~Box() = default;

  // Begins; `on_exit` is called once from the loop, after all output has been delivered. What goes
  // wrong before the workload runs is thrown, or told to `on_exit` when it is found out later.
  virtual void start(base::EventLoop& loop, ExitHandler on_exit) = 0;
  // Sends a signal to the workload's first process; kept until it runs, dropped after its end.
  virtual void signal(int number) = 0;
  virtual const Marks& marks() const = 0;
  // The host's processes that exist for this box beside the calling one.
  virtual std::vector<pid_t> processes() const = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::string_view name() const = 0;
  // Throws base::Error (unsupported) with a hint when this host cannot run such boxes.
  virtual void check_host() const = 0;
  virtual std::unique_ptr<Box> create(BoxRequest request) = 0;
  // Ends and undoes what a box left whose process was killed: everything outside of `directory`.
  virtual void clean_up(const std::string& id, const std::filesystem::path& directory) = 0;
};

}  // namespace twinbox::sandbox
