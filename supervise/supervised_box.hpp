// The life of one box in its supervisor: every change of its record happens here.
#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/event_loop.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/served_process.hpp"
#include "supervise/control_words.hpp"
#include "supervise/input.hpp"
#include "supervise/output.hpp"
#include "supervise/restart.hpp"
#include "supervise/run.hpp"
#include "supervise/store.hpp"

namespace twinbox::supervise {

// All calls come from the loop's thread. Questions are answered through their Answer, once; what is
// illegal now is thrown. Nothing but finished() and all_told() may be asked of one that has
// finished.
class SupervisedBox {
 public:
  using EndHandler = std::function<void(const Ended& ended)>;

  SupervisedBox(base::EventLoop& loop, OwnedBox box, std::unique_ptr<sandbox::Engine> engine,
                sandbox::RootFilesystem root, std::filesystem::path saved = {});
  ~SupervisedBox();

  const BoxRecord& record() const { return box_->record(); }
  Output& output() { return output_; }
  Input& input() { return input_; }

  // Answered when the workload was executed, or with why it could not be.
  void start(sandbox::Done done);
  void stop(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done);
  void restart(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done);
  void kill(int number, const sandbox::Done& done);
  void pause(sandbox::Done done);
  void unpause(sandbox::Done done);
  void save(const std::filesystem::path& directory, sandbox::Done done);
  void update(const sandbox::Resources& limits, std::optional<RestartPolicy> policy,
              sandbox::Done done);
  void rename(const std::string& name);
  // Ends and removes it.
  void remove(sandbox::Done done);
  // Each handler is called at the end of the current run, once.
  void on_end(EndHandler handler) { end_handlers_.push_back(std::move(handler)); }
  // The last client that may start it is gone.
  void give_up();

  // For an attached client, as they are.
  void resize(sandbox::TerminalSize size);
  void signal(int number);
  // A client that typed to it types no more.
  void input_ended();
  // Throws base::Error when it does not run.
  sandbox::Box& running_box(Action action);
  // Throws base::Error when nobody can be attached to it now; to one that is about to be started,
  // everybody can.
  void check_attachable() const;
  // A further process, served to a client; kept until its end.
  std::shared_ptr<sandbox::ServedProcess> serve(
      const std::shared_ptr<sandbox::FrameConnection>& connection, std::uint32_t id);

  // It is at rest, or removed, and nobody's any more.
  bool finished() const { return !box_; }
  // Besides, all that is to be told of its processes is on its way.
  bool all_told() const { return finished() && served_.empty(); }

 private:
  void launch();
  void launch_again();
  sandbox::BoxRequest make_request() const;
  void on_executed();
  void note_executed();
  void on_run_end(const sandbox::Outcome& outcome);
  void record_end(const sandbox::Outcome& outcome, bool executed);
  void restart_later();
  void finish(const Ended& ended);
  void let_go();
  void stay_ended();
  void signal_stop(std::optional<int> number, std::optional<int> timeout);
  void end_exec_processes();
  void note(const std::function<void(BoxState&)>& change);
  void note_again();
  bool active() const { return run_ || restart_timer_; }

  base::EventLoop& loop_;
  std::optional<OwnedBox> box_;
  std::unique_ptr<sandbox::Engine> engine_;
  sandbox::RootFilesystem root_;
  std::filesystem::path saved_;  // where each run goes on from; empty: it is started
  Input input_;
  Output output_;
  std::unique_ptr<Run> run_;
  std::list<std::shared_ptr<sandbox::ServedProcess>> served_;
  std::vector<EndHandler> end_handlers_;
  std::vector<sandbox::Done> start_done_;
  std::vector<sandbox::Done> stop_done_;
  std::optional<base::EventLoop::TimerId> kill_timer_;
  std::optional<base::EventLoop::TimerId> restart_timer_;
  std::optional<base::EventLoop::TimerId> note_timer_;
  std::optional<base::EventLoop::TimerId> executed_timer_;
  BackOff back_off_;
  bool stop_wanted_ = false;     // by the verb
  bool restart_wanted_ = false;  // by the verb, after this run
  bool restart_begun_ = false;   // by the verb, with this run
  bool remove_wanted_ = false;
  bool stays_ended_ = false;     // whatever its policy
  bool executed_noted_ = false;  // of this run
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace twinbox::supervise
