#include "support/script_engine.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>

#include <array>
#include <optional>
#include <utility>

#include "base/syscall.hpp"

namespace twinbox::tests {
namespace {

using sandbox::Outcome;
using sandbox::Stdio;

pid_t spawn(const std::string& script, Stdio stdio) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const std::array fds{stdio.in, stdio.out, stdio.err};
  for (int i = 0; i < 3; ++i) ::posix_spawn_file_actions_adddup2(&actions, fds.at(i), i);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  std::string text = script;
  std::array<char*, 4> argv{const_cast<char*>("sh"), const_cast<char*>("-c"), text.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw base::system_error(error, "cannot execute sh");
  return pid;
}

// A script and all it started; ended with this object.
class Script {
 public:
  Script(base::EventLoop& loop, const std::string& text, Stdio stdio,
         std::function<void()> on_executed, std::function<void(const Outcome&)> on_exit)
      : loop_(loop),
        pid_(spawn(text, stdio)),
        pidfd_(base::open_pidfd(pid_)),
        on_exit_(std::move(on_exit)) {
    if (!on_executed) {
      watch();
      return;
    }
    // From the loop, as engines do, and before the end.
    executed_timer_ = loop_.add_timer({}, [this, on_executed = std::move(on_executed)] {
      executed_timer_.reset();
      watch();
      on_executed();
    });
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  ~Script() {
    if (!pidfd_) return;
    if (executed_timer_) loop_.cancel_timer(*executed_timer_);
    signal(SIGKILL);
    on_exit_ = [](const Outcome&) {};
    reap();
  }

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(-pid_, number); }

 private:
  void watch() {
    loop_.add(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { reap(); });
  }

  void reap() {
    if (loop_.watches(pidfd_.get())) loop_.remove(pidfd_.get());
    pidfd_.reset();
    const int status = base::shell_status(base::wait_for(pid_));
    ::kill(-pid_, SIGKILL);
    // May destroy this.
    const auto on_exit = std::move(on_exit_);
    on_exit({.status = status, .oom_killed = false, .error = {}});
  }

  base::EventLoop& loop_;
  pid_t pid_;
  base::Fd pidfd_;
  std::optional<base::EventLoop::TimerId> executed_timer_;
  std::function<void(const Outcome&)> on_exit_;
};

class ScriptProcess : public sandbox::BoxProcess {
 public:
  ScriptProcess(base::EventLoop& loop, const sandbox::ExecRequest& request)
      : script_(loop, request.process.args.at(0), request.stdio, request.on_executed,
                request.on_exit) {}
  void signal(int number) override { script_.signal(number); }
  void resize(sandbox::TerminalSize) override {}

 private:
  Script script_;
};

class ScriptBox : public sandbox::Box {
 public:
  explicit ScriptBox(sandbox::BoxRequest request) : request_(std::move(request)) {}

  void start(base::EventLoop& loop, ExitHandler on_exit) override {
    loop_ = &loop;
    if (request_.spec.process.args[0].empty()) {
      const base::Error error(base::ErrorKind::not_found, "there is no such script", "write one");
      loop.add_timer({}, [on_exit, error] {
        on_exit({.status = sandbox::status_command_not_found, .oom_killed = false, .error = error});
      });
      return;
    }
    marks_.stamp(sandbox::Mark::executed);
    script_ = std::make_unique<Script>(loop, request_.spec.process.args[0], request_.stdio,
                                       request_.on_executed, std::move(on_exit));
  }
  void signal(int number) override {
    if (script_) script_->signal(number);
  }
  const sandbox::Marks& marks() const override { return marks_; }
  std::vector<pid_t> processes() const override { return {script_->pid()}; }
  std::unique_ptr<sandbox::BoxProcess> exec(sandbox::ExecRequest request) override {
    return std::make_unique<ScriptProcess>(*loop_, request);
  }
  void pause(sandbox::Done done) override {
    script_->signal(SIGSTOP);
    done(std::monostate{});
  }
  void resume(sandbox::Done done) override {
    script_->signal(SIGCONT);
    done(std::monostate{});
  }

 private:
  sandbox::BoxRequest request_;
  base::EventLoop* loop_ = nullptr;
  std::unique_ptr<Script> script_;
  sandbox::Marks marks_;
};

}  // namespace

std::unique_ptr<sandbox::Box> ScriptEngine::create(sandbox::BoxRequest request) {
  return std::make_unique<ScriptBox>(std::move(request));
}

}  // namespace twinbox::tests
