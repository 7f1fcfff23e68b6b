// This command as the near end of a process in a box: its streams, terminal and signals.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "cli/raw_terminal.hpp"
#include "cli/typed_input.hpp"
#include "sandbox/engine.hpp"
#include "supervise/client.hpp"

namespace twinbox::cli {

struct ForegroundOptions {
  bool input = false;  // which of this command's streams are the process's
  bool output = true;
  bool errors = true;
  bool terminal = false;  // the process has one
  bool signal_proxy = true;
  std::string detach_keys{};
};

// Throws base::Error (usage) where a process with a terminal is to be given input that comes from
// none, or keys to detach with make no sense: to be called before anything is begun.
void check_foreground(const ForegroundOptions& options);

// Usage:
//   Foreground foreground(loop, {.input = true});
//   foreground.follow(client, client.attach(foreground.stdio(), foreground.on_end()));
//   const auto end = foreground.wait();
//
// From here on signals do not end this process: they are passed on, or end wait(). A terminal is
// raw until this object is gone. Make it after launching anything that is to have signals as usual.
class Foreground {
 public:
  struct End {
    std::optional<sandbox::Outcome> outcome;  // the process has ended
    std::optional<int> signal;                // this command was told to; the process goes on
    // Neither of them: the detach keys were typed.
  };

  Foreground(base::EventLoop& loop, const ForegroundOptions& options);
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;
  ~Foreground();

  sandbox::Stdio stdio() const;
  std::function<void(const sandbox::Outcome&)> on_end();
  // Passes signals and the terminal's size on to this process.
  void follow(supervise::BoxClient& client, supervise::BoxClient::StreamId stream);
  // The terminal's size, once the process runs.
  void tell_size();
  bool ended() const { return end_.has_value(); }
  const End& wait();
  // The same as an exit status; what went wrong is told.
  int status_of_end();
  // Until this child has ended, or another signal says that it is not to be waited for.
  void wait_for_child(pid_t pid);

 private:
  void take_signals();
  void take_signal(int number);
  void end(const End& how);

  base::EventLoop& loop_;
  ForegroundOptions options_;
  base::Fd signals_;
  std::optional<RawTerminal> raw_;
  std::optional<TypedInput> typed_;
  supervise::BoxClient* client_ = nullptr;
  supervise::BoxClient::StreamId stream_ = 0;
  std::optional<End> end_;
  bool impatient_ = false;
};

}  // namespace twinbox::cli
