// A box in a virtual machine of its own: what is the same whichever monitor runs the machine.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/granted_time.hpp"
#include "base/json.hpp"
#include "sandbox/agent_session.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::sandbox {

// A machine that boots the agent, as its monitor offers it to a GuestBox. All calls come from the
// loop's thread. The destructor ends what still runs; after on_end it must not need the loop.
class GuestMachine {
 public:
  struct End {
    base::Error reason;      // why it ended, when it was not told to
    bool never_ran = false;  // the machine could not be made; `reason` says all there is to say
  };
  enum class Agent {
    starts,         // with its machine
    saved,          // while it was frozen; the machine goes on from there
    saved_at_work,  // the same with this box's workload
  };
  struct Handlers {
    // A moment that the machine itself knows of, in CLOCK_MONOTONIC nanoseconds.
    std::function<void(Mark mark, const Stamp& stamp)> on_mark;
    // The connected stream that leads to the agent, or will once that has started.
    std::function<void(base::Fd port, Agent agent)> on_port;
    // Called once from the loop, when nothing of the machine runs any more.
    std::function<void(const End& end)> on_end;
  };

  virtual ~GuestMachine() = default;
  // Begins. What goes wrong is thrown, or told to on_end when it is found out later.
  virtual void start(base::EventLoop& loop, Handlers handlers) = 0;
  // Ends the machine at once; on_end follows.
  virtual void kill() = 0;
  virtual std::vector<pid_t> processes() const = 0;
  // Where its agent finds so many layers, once it has a port: as disks, if nothing else is said;
  // empty where it has been told already.
  virtual std::vector<AgentDisk> disks(std::size_t layers) const;
  // What the guest printed last, for errors; may be empty.
  virtual std::string last_words() const = 0;
  // All of the machine's processors stand still until resume().
  virtual void pause(Done done) = 0;
  virtual void resume(Done done) = 0;
  // What Box::save() is to do, while the agent is frozen.
  virtual void save(const std::filesystem::path& directory, Done done) = 0;
};

// Starts the workload of `request` through the machine's agent, and ends the machine with it: its
// disks are read-only and all it wrote is in its memory, so there is nothing that an orderly
// shutdown would save.
class GuestBox : public Box {
 public:
  GuestBox(BoxRequest request, std::unique_ptr<GuestMachine> machine);
  ~GuestBox() override;

  void start(base::EventLoop& loop, ExitHandler on_exit) override;
  void signal(int number) override;
  const Marks& marks() const override { return marks_; }
  std::vector<pid_t> processes() const override { return machine_->processes(); }
  void resize(TerminalSize size) override;
  std::unique_ptr<BoxProcess> exec(ExecRequest request) override;
  void pause(Done done) override;
  void resume(Done done) override;
  void save(const std::filesystem::path& directory, Done done) override;
  void statistics(Answer<Statistics> answer) override;
  void list_processes(Answer<std::vector<ProcessEntry>> answer) override;
  void list_changes(Answer<std::vector<FileChange>> answer) override;
  // Only what the kernel in the machine can change: the number of processes.
  void update(const Resources& limits, Done done) override;

 private:
  AgentSession& running_session() const;
  void kill();
  void kill_from_outside();
  AgentBox agent_box() const;
  void refuse_while_saved() const;
  void on_frozen(const std::filesystem::path& directory,
                 const std::variant<std::monostate, base::Error>& answer);
  void look_at_freeze(const base::GrantedTime& granted);
  void end_saving(const std::variant<std::monostate, base::Error>& answer);
  Done note_paused(bool paused, Done done);
  template <typename T, typename Decode>
  void ask_guest(const base::Json& question, Answer<T> answer, Decode decode);
  void keep_stdio();
  void start_workload(base::Fd port, GuestMachine::Agent agent);
  void on_hello();
  void on_started();
  void on_workload_end(const Outcome& outcome);
  void end_machine();
  void end_lost_machine();
  void look_at_boot(const base::GrantedTime& granted);
  void stop_timer(std::optional<base::EventLoop::TimerId>& timer);
  void on_machine_end(const GuestMachine::End& end);
  void finish();
  base::Error why_lost() const;
  void tell_exit();
  // Calls back unless this box is gone by then.
  void later(std::chrono::milliseconds delay, void (GuestBox::*callback)());

  BoxRequest request_;
  std::vector<base::Fd> stdio_;  // kept until the agent's port is there
  base::EventLoop* loop_ = nullptr;
  ExitHandler on_exit_;
  Marks marks_;
  Marks seen_from_here_;  // where the machine itself knows no better
  std::unique_ptr<GuestMachine> machine_;
  std::shared_ptr<AgentSession> session_;
  AgentSession::ProcessId process_ = 0;
  std::vector<int> early_signals_;
  std::optional<base::EventLoop::TimerId> boot_timer_;
  std::optional<base::EventLoop::TimerId> freeze_timer_;
  Done save_done_;           // while it is being saved
  bool frozen_due_ = false;  // the agent has yet to answer to a freeze
  bool lost_ = false;
  bool executed_ = false;
  bool paused_ = false;
  bool kill_wanted_ = false;              // SIGKILL was sent
  bool killed_ = false;                   // and the machine was ended for it
  std::optional<std::string> ended_for_;  // why we ended the machine before its workload's end
  std::optional<GuestMachine::End> end_;
  std::optional<Outcome> outcome_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// A disk for each layer, in the order in which the guest names them.
std::vector<AgentDisk> whole_disks(std::size_t layers);
// The guest's name of its disk number `index`: "vda", ..., "vdz", "vdaa".
std::string disk_name(std::size_t index);

}  // namespace twinbox::sandbox
