// A command's connection to the supervisor of a box.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/agent_session.hpp"
#include "sandbox/engine.hpp"
#include "supervise/control_words.hpp"
#include "supervise/record.hpp"
#include "supervise/store.hpp"

namespace twinbox::supervise {

// All calls and callbacks are of the loop's thread. A supervisor that goes away answers every open
// question with an error that says so.
//
//   base::EventLoop loop;
//   const auto client = BoxClient::connect(loop, store, record);
//   ask<std::monostate>(loop, [&](auto done) { client->stop({}, {}, done); });
class BoxClient {
 public:
  using StreamId = sandbox::AgentSession::ProcessId;

  // To the supervisor of a box that runs. Throws base::Error (conflict) when it has none.
  static std::unique_ptr<BoxClient> connect(base::EventLoop& loop, const BoxStore& store,
                                            const BoxRecord& record);
  // To one that was just launched.
  BoxClient(base::EventLoop& loop, base::Fd control);

  // The streams of the workload itself, from now to the end of this run; -1 for one that is not
  // wanted. `on_end` is called after the last output. To detach, end the connection.
  StreamId attach(sandbox::Stdio stdio, std::function<void(const sandbox::Outcome&)> on_end);
  // A further process. It goes on when the connection ends.
  StreamId exec(const sandbox::ExecRequest& request);
  // To an exec'd process, or for an attachment to the workload, as it is.
  void signal(StreamId stream, int number) { session_.signal(stream, number); }
  void resize(StreamId stream, sandbox::TerminalSize size) { session_.resize(stream, size); }

  // Starts the workload; answered when it was executed, or with why it could not be (the error of
  // the box's Outcome).
  void start(sandbox::Answer<Started> answer);
  // The stop signal, then after `timeout` seconds (-1: never; nullopt: the box's own) SIGKILL.
  // Answered when the box has ended. A box that was stopped is not restarted by its policy.
  void stop(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done);
  // The same, and started again; answered when it was.
  void restart(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done);
  void kill(int number, sandbox::Done done);
  void pause(sandbox::Done done);
  void unpause(sandbox::Done done);
  // All of the running box into a directory that is there; answered when it is kept.
  void save(const std::filesystem::path& directory, sandbox::Done done);
  void statistics(sandbox::Answer<sandbox::Statistics> answer);
  void list_processes(sandbox::Answer<std::vector<sandbox::ProcessEntry>> answer);
  void list_changes(sandbox::Answer<std::vector<sandbox::FileChange>> answer);
  void update(const sandbox::Resources& limits, std::optional<RestartPolicy> restart,
              sandbox::Done done);
  void rename(const std::string& name, sandbox::Done done);
  // Ends and removes the box (rm -f).
  void remove(sandbox::Done done);
  // Answered when the current run has ended and, where the box is not started again, everything of
  // it is undone.
  void wait(sandbox::Answer<Ended> answer);

 private:
  template <typename T, typename Decode>
  void ask_json(const base::Json& question, sandbox::Answer<T> answer, Decode decode);
  void ask_done(const base::Json& question, sandbox::Done done);

  sandbox::AgentSession session_;
};

// For commands that want one answer: runs the loop until it is there, throws its error.
template <typename T>
T ask(base::EventLoop& loop, const std::function<void(sandbox::Answer<T>)>& question) {
  std::optional<std::variant<T, base::Error>> result;
  question([&](const std::variant<T, base::Error>& answer) {
    result = answer;
    loop.stop();
  });
  if (!result) loop.run();
  if (const auto* error = std::get_if<base::Error>(&*result)) throw *error;
  return std::get<T>(std::move(*result));
}

}  // namespace twinbox::supervise
