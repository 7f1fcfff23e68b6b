// A command's connection to the supervisor of a box.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/engine.hpp"
#include "supervise/record.hpp"
#include "supervise/store.hpp"

namespace twinbox::supervise {

// All calls and callbacks are of the loop's thread. A supervisor that goes away answers every open
// question with an error that says so.
class BoxClient {
 public:
  // To the supervisor of a box that runs. Throws base::Error (conflict) when it has none.
  static std::unique_ptr<BoxClient> connect(base::EventLoop& loop, const BoxStore& store,
                                            const BoxRecord& record);
  // To one that was just launched.
  BoxClient(base::EventLoop& loop, base::Fd control);
  ~BoxClient();

  // The streams of the workload itself. `stdio` as in sandbox::Stdio; -1 for one that is not
  // wanted.
  struct Attachment {
    sandbox::Stdio stdio;
    // The box's end (of this run of it: a restart policy may follow with another, which this
    // attachment goes on to show); after its last output. `record` is the box's last one.
    std::function<void(const sandbox::Outcome& outcome)> on_end;
  };
  using StreamId = std::uint32_t;
  StreamId attach(Attachment attachment);
  // A further process.
  StreamId exec(const sandbox::ExecRequest& request);
  // To an exec'd process, or for an attachment to the workload.
  void signal(StreamId stream, int number);
  void resize(StreamId stream, sandbox::TerminalSize size);
  // Leaves the process to itself.
  void detach(StreamId stream);

  // Starts the workload; answered when it was executed, or with why it could not be (the error of
  // the box's Outcome, whose status is the box's exit code).
  struct Started {
    std::string id;
    std::string name;
    pid_t pid = 0;
  };
  void start(sandbox::Answer<Started> answer);
  // The stop signal, then after `timeout` seconds (-1: never; nullopt: the box's own) SIGKILL.
  // Answered when the box has ended. A box that was stopped is not restarted by its policy.
  void stop(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done);
  void restart(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done);
  void kill(int number, sandbox::Done done);
  void pause(sandbox::Done done);
  void unpause(sandbox::Done done);
  void statistics(sandbox::Answer<sandbox::Statistics> answer);
  void list_processes(sandbox::Answer<std::vector<sandbox::ProcessEntry>> answer);
  void list_changes(sandbox::Answer<std::vector<sandbox::FileChange>> answer);
  void update(const sandbox::Resources& limits, std::optional<RestartPolicy> restart,
              sandbox::Done done);
  void rename(const std::string& name, sandbox::Done done);
  // Ends and removes the box (rm -f).
  void remove(sandbox::Done done);
  // Answered when the box has ended, with its exit status.
  void wait(sandbox::Answer<int> answer);
  // The boot marks of the current run.
  void marks(sandbox::Answer<sandbox::Marks> answer);
};

// The same for commands that want one answer: runs the loop until it is there, throws its error.
// `ask` is given the Answer to pass on.
template <typename T>
T ask(base::EventLoop& loop, const std::function<void(sandbox::Answer<T>)>& question);

}  // namespace twinbox::supervise
