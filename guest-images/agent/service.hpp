// Serves one host over one connection: its processes, the machine's figures and its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/json.hpp"
#include "sandbox/frame_connection.hpp"
#include "sandbox/served_process.hpp"

namespace twinbox::agent {

// How a machine's owner wants its requests done; empty ones are refused.
struct Machine {
  using OnExit = std::function<void(const sandbox::Outcome&)>;
  // Starts the workload of a start_box message as process `id`, behind `workload`; `on_exit` is
  // told its end.
  std::function<std::unique_ptr<sandbox::BoxProcess>(
      std::uint32_t id, std::string_view message, sandbox::ServedProcess& workload, OnExit on_exit)>
      start_box{};
  // A further process of the box that was started as process `box`.
  std::function<std::unique_ptr<sandbox::BoxProcess>(std::uint32_t box,
                                                     sandbox::ExecRequest request)>
      exec{};
  // Asks that box (see sandbox::ask_box).
  std::function<void(std::uint32_t box, const base::JsonView& question,
                     const sandbox::Answer<std::string>& answer)>
      ask{};
  std::function<void()> power_off{};
  // Before this machine is saved: its boxes stand still until thaw().
  std::function<void()> freeze{};
  std::function<void()> thaw{};
  // This machine was made from what was saved of another one: it is to become one of its own.
  std::function<void(const base::JsonView& identity)> become_copy{};
  // The next box will have these layers, as start_box names them: what it needs can be made ahead.
  // Calls `done` from the loop, or throws base::Error.
  std::function<void(const base::JsonView& disks, std::function<void()> done)> expect_image{};
  // Whether somebody else waits for this child.
  std::function<bool(pid_t)> owns_child{};
};

class Service {
 public:
  Service(base::EventLoop& loop, Machine machine);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  // Says hello over `stream` (waiting until the host takes it) and serves until the host is gone or
  // breaks the protocol; every process that was started for it is killed then. Returns why it
  // ended.
  std::string serve(base::Fd stream);
  // A diagnostic for the host and our own stderr.
  void log(std::string_view text);

 private:
  void take(const sandbox::protocol::Frame& frame);
  void take_machine_frame(const sandbox::protocol::Frame& frame);
  void freeze();
  void begin_as_copy(std::string_view identity);
  void greet_when_ready(const base::JsonView& disks);
  void greet();
  void go_on(std::string_view payload);
  void start_command(const sandbox::protocol::Frame& frame);
  void start_box(const sandbox::protocol::Frame& frame);
  void start_exec(const sandbox::protocol::Frame& frame);
  void take_request(const sandbox::protocol::Frame& frame);
  Machine::OnExit conclude_workload(std::uint32_t id);
  sandbox::ServedProcess& add_workload(std::uint32_t id);
  void fail(std::uint32_t id, const base::Error& error);
  void reap();
  void kill_all();

  base::EventLoop& loop_;
  Machine machine_;
  base::Fd child_signals_;
  std::shared_ptr<sandbox::FrameConnection> connection_;
  std::map<std::uint32_t, sandbox::ServedProcess> workloads_;
  std::uint32_t box_ = 0;                    // the workload that is the machine's
  std::map<pid_t, std::uint32_t> commands_;  // which workload a child is
  std::string end_;
};

}  // namespace twinbox::agent
