// The life of one box in its supervisor: every change of its record happens here.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/event_loop.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/served_process.hpp"
#include "supervise/control_words.hpp"
#include "supervise/output.hpp"
#include "supervise/run.hpp"
#include "supervise/store.hpp"

namespace twinbox::supervise {

// All calls come from the loop's thread. Questions are answered through their Answer, once.
class SupervisedBox {
 public:
  using EndHandler = std::function<void(const Ended& ended)>;

  // `on_finished`: the box is at rest, its record says so and everybody has been told.
  SupervisedBox(base::EventLoop& loop, OwnedBox box, std::unique_ptr<sandbox::Engine> engine,
                sandbox::RootFilesystem root, std::function<void()> on_finished);
  ~SupervisedBox();

  const BoxRecord& record() const { return box_->record(); }
  Output& output() { return output_; }

  void start(sandbox::Done done);
  void stop(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done);
  void restart(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done);
  void kill(int number);
  void pause(sandbox::Done done);
  void unpause(sandbox::Done done);
  void update(const sandbox::Resources& limits, std::optional<RestartPolicy> policy,
              sandbox::Done done);
  void rename(const std::string& name);
  // Ends and removes it.
  void remove(sandbox::Done done);
  // Each handler is called at the end of the current run, once.
  void on_end(EndHandler handler) { end_handlers_.push_back(std::move(handler)); }
  // The last client that may start it is gone.
  void give_up();

  void resize(sandbox::TerminalSize size);
  // Passes a signal on as it is, for an attached client.
  void signal(int number);
  base::Fd open_input() const { return run_ ? run_->open_input() : base::Fd(); }
  // Whether there is a run that takes input.
  bool launched() const { return run_ != nullptr; }
  void input_ended();
  // Throws base::Error when it does not run.
  sandbox::Box& running_box(Action action);
  // A further process, served to a client; kept until its end.
  std::shared_ptr<sandbox::ServedProcess> serve(
      const std::shared_ptr<sandbox::FrameConnection>& connection, std::uint32_t id);

 private:
  void launch();
  void on_executed();
  void on_run_end(const sandbox::Outcome& outcome);
  void record_end(const sandbox::Outcome& outcome);
  bool wants_restart(const sandbox::Outcome& outcome) const;
  void restart_later();
  void finish(const Ended& ended);
  void end_by_hand();
  void signal_stop(int number, std::optional<int> timeout);
  void cancel_timer(std::optional<base::EventLoop::TimerId>& timer);
  void end_exec_processes();

  base::EventLoop& loop_;
  std::optional<OwnedBox> box_;
  std::unique_ptr<sandbox::Engine> engine_;
  sandbox::RootFilesystem root_;
  std::function<void()> on_finished_;
  Output output_;
  std::unique_ptr<Run> run_;
  std::list<std::shared_ptr<sandbox::ServedProcess>> served_;
  std::vector<EndHandler> end_handlers_;
  std::optional<sandbox::Done> start_done_;
  std::vector<sandbox::Done> stop_done_;
  std::optional<base::EventLoop::TimerId> kill_timer_;
  std::optional<base::EventLoop::TimerId> restart_timer_;
  std::chrono::milliseconds back_off_;
  bool ended_by_hand_ = false;   // no policy starts it again
  bool restart_wanted_ = false;  // by the verb
  bool remove_wanted_ = false;
  bool finished_ = false;
};

}  // namespace twinbox::supervise
