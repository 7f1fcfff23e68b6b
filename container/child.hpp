// A process that sets itself up and then executes a program, watched by its parent until its end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "container/handshake.hpp"
#include "container/launcher.hpp"
#include "container/terminal_relay.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {

// The first process of a box, or a further one, which may be the successor of the one launched.
class Child {
 public:
  struct Ended {
    int status = 0;          // as a shell reports it
    bool executing = false;  // it came as far as executing its program
    std::optional<Failure> failure;
  };
  struct Handlers {
    std::function<void(const sandbox::Stamp& stamp, std::uint64_t mount_namespace)> on_ready;
    std::function<void()> on_executed;
    // Called once, when it has been reaped and its terminal's output is delivered. May destroy
    // this.
    std::function<void(const Ended& ended)> on_end;
  };

  // `command` names its program in errors; empty for one that executes none but does its work
  // itself. `stdio` is what a terminal is relayed to and from.
  Child(base::EventLoop& loop, Launched launched, std::string command, const sandbox::Stdio& stdio,
        Handlers handlers);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  // Kills and reaps it if it still runs.
  ~Child();

  pid_t pid() const { return launched_.pid; }
  int pidfd() const { return launched_.pidfd.get(); }
  // Whether it is `pid`, or will be.
  bool owns(pid_t pid) const { return pid == launched_.pid || pid == launched_.successor.pid(); }
  bool running() const { return state_ != State::ended; }
  // The layer that its box writes to, for a first process that has come so far.
  const base::Fd& upper() const { return upper_; }
  bool executed() const { return state_ == State::running; }
  // Kept until its program runs, dropped after its end.
  void signal(int number);
  void resize(sandbox::TerminalSize size);

 private:
  enum class State { setting_up, running, ended };

  ReportHandlers report_handlers();
  void take_terminal();
  void fail(Failure failure);
  void read_reports();
  void on_reports_end();
  void watch_process();
  void on_process_end();
  bool follow_successor();
  void tell_end();
  void end_it();
  void forget_watches();

  base::EventLoop& loop_;
  Launched launched_;
  std::string command_;
  Handlers handlers_;
  ReportDecoder decoder_;
  State state_ = State::setting_up;
  Ended ended_;
  std::vector<int> kept_signals_;
  // The relay's ends of the streams, kept from the start.
  base::Fd relay_in_;
  base::Fd relay_out_;
  base::Fd received_;  // with the report that is being read
  base::Fd terminal_;
  base::Fd upper_;
  std::optional<sandbox::TerminalSize> kept_size_;
  std::unique_ptr<TerminalRelay> relay_;
};

// Sends a signal by pidfd; one that has ended is no error.
void send_signal(int pidfd, int number);

}  // namespace twinbox::container
