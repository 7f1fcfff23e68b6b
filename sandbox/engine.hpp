// What every engine must do: turn a workload into a running box.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "sandbox/box_report.hpp"
#include "sandbox/marks.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::sandbox {

// Borrowed descriptors that become the workload's streams. Where the process has a terminal
// (Process::terminal), what `in` gives is typed into it, all that it shows goes to `out`, and `err`
// stays unused.
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
  // Keep what the workload writes in `directory`, for its next start, where the engine can.
  bool keep_files = false;
  // Where Box::save() wrote a box of this workload that is to be gone on from; empty: it is
  // started.
  std::filesystem::path saved{};
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

// A further process in a running box.
class BoxProcess {
 public:
  // Kills it if it still runs; its on_exit is not called then.
  virtual ~BoxProcess() = default;
  // Whether `child` is a child of the caller's that this waits for.
  virtual bool owns([[maybe_unused]] pid_t child) const { return false; }
  virtual void signal(int number) = 0;
  virtual void resize(TerminalSize size) = 0;
};

// What a box does with its own files, without any program of the image, as the root of the box.
struct FileTask {
  enum class Kind {
    describe,  // writes PathInfo as JSON to `out`
    pack,      // writes a tar of `path` (its last component and below) to `out`
    unpack,    // unpacks the tar from `in` into the directory `path`
  };
  Kind kind = Kind::describe;
  std::string path;  // absolute; resolved inside the box's root
};

// "describe" and so on, both ways; throws base::Error (usage) for another word.
std::string_view to_string(FileTask::Kind kind);
FileTask::Kind file_task_kind_from(std::string_view text);

struct ExecRequest {
  Process process;               // complete: nothing is taken from the box's own
  std::optional<FileTask> task;  // instead of a program of the image; `process` is unused then
  Stdio stdio;
  std::function<void()> on_executed{};  // may be empty; called from the loop
  // Called once from the loop, after all its output has been delivered. `error` tells why it never
  // ran (status 125, 126 or 127) or why the task failed (status 1).
  std::function<void(const Outcome&)> on_exit{};
};

// The answer to a question, given later from the loop, once.
template <typename T>
using Answer = std::function<void(const std::variant<T, base::Error>&)>;
using Done = Answer<std::monostate>;

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
  // The host's processes that exist for this box beside the calling one; its first process, or its
  // machine's, first.
  virtual std::vector<pid_t> processes() const = 0;

  // For a running box only. An engine that cannot do a thing throws base::Error (unsupported) that
  // names the engine and the thing, as these do.
  virtual void resize(TerminalSize size);
  virtual std::unique_ptr<BoxProcess> exec(ExecRequest request);
  // All of it stands still until resume(); signals that come meanwhile take effect then, but for
  // SIGKILL.
  virtual void pause(Done done);
  virtual void resume(Done done);
  // Writes all of it into `directory`, for others that go on from there, and lets it go on itself.
  virtual void save(const std::filesystem::path& directory, Done done);
  virtual void statistics(Answer<Statistics> answer);
  virtual void list_processes(Answer<std::vector<ProcessEntry>> answer);
  // What the box has changed of its image's files, sorted by path.
  virtual void list_changes(Answer<std::vector<FileChange>> answer);
  // Sets the limits that `limits` has; the others stay.
  virtual void update(const Resources& limits, Done done);
};

// For those that cannot. Throws base::Error (unsupported).
[[noreturn]] void refuse_to_save();

// A box that does not run now.
struct StoppedBox {
  std::string id;
  std::filesystem::path directory;
  RootFilesystem root;
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::string_view name() const = 0;
  // Throws base::Error (unsupported) with a hint when this host cannot run such boxes.
  virtual void check_host() const = 0;
  // What it relies on, where it is usable: {"QEMU", "7.2.0"}.
  virtual std::vector<std::pair<std::string, std::string>> versions() const { return {}; }
  virtual std::unique_ptr<Box> create(BoxRequest request) = 0;
  // Ends and undoes what a box left whose process was killed: everything outside of `directory`.
  virtual void clean_up(const std::string& id, const std::filesystem::path& directory) = 0;
  // The files of a box that does not run, in the calling process and to the end. Throws base::Error
  // (unsupported) where the engine keeps them only while a box runs.
  virtual void run_file_task(const StoppedBox& box, const FileTask& task, Stdio stdio);
  virtual std::vector<FileChange> list_changes(const StoppedBox& box);
};

}  // namespace twinbox::sandbox
