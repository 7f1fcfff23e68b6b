#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <array>
#include <memory>
#include <utility>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/syscall.hpp"
#include "qemu/lab/command.hpp"
#include "qemu/lab/transfer.hpp"
#include "sandbox/agent_session.hpp"

namespace twinbox::qemu {
namespace {

constexpr std::array forwarded_signals{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// $0 is a directory of this command alone, seen as /out by nobody else: several commands may run in
// one lab.
constexpr const char* with_out_directory =
    "mkdir -p \"$0\" && exec unshare -m sh -c 'mount --bind \"$0\" /out && exec \"$@\"' \"$0\" "
    "\"$@\"";
constexpr const char* send_out_directory =
    "tar -C \"$0\" -c .; status=$?; rm -rf \"$0\"; exit $status";

class AgentRun {
 public:
  AgentRun(base::Fd socket, const LabCommand& command, std::chrono::milliseconds limit)
      : command_(command), signals_(base::make_signalfd(forwarded_signals)) {
    loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { pass_signals(); });
    limit_ = loop_.add_timer(limit, [this] { loop_.stop(); });
    session_ = std::make_unique<sandbox::AgentSession>(
        loop_, std::move(socket),
        sandbox::SessionHandlers{
            .on_hello = [this](std::string_view) { start(); },
            .on_log = [](std::string_view text) { fmt::print(stderr, "twinbox: lab: {}\n", text); },
            .on_lost = [this](const base::Error& reason) { lose(reason); }});
  }
  AgentRun(const AgentRun&) = delete;
  AgentRun& operator=(const AgentRun&) = delete;
  ~AgentRun() {
    session_.reset();
    loop_.remove(signals_.get());
  }

  std::optional<int> run() {
    loop_.run();
    if (lost_) throw *lost_;
    if (status_ && archive_) extract_archive(archive_.get(), *command_.out);
    return status_;
  }

 private:
  void start() {
    loop_.cancel_timer(limit_);
    auto args = command_.args;
    if (command_.out) {
      out_directory_ = fmt::format("/run/out/{}.{}", ::getpid(), base::monotonic_now());
      const std::array<std::string, 4> wrapper{"sh", "-c", with_out_directory, out_directory_};
      args.insert(args.begin(), wrapper.begin(), wrapper.end());
    }
    process_ = session_->start_command(
        {.args = std::move(args), .env = command_.env, .cwd = "/"}, command_.stdio,
        {.on_started = {}, .on_end = [this](const sandbox::Outcome& outcome) { end(outcome); }});
  }

  void end(const sandbox::Outcome& outcome) {
    if (lost_) return;
    // A session that is lost ends its processes before it says so.
    if (outcome.error && session_->lost()) return lose(*session_->lost());
    if (outcome.error) {
      fmt::print(stderr, "twinbox: {}\n", outcome.error->message());
    }
    ended_status_ = outcome.status;
    if (!command_.out) return finish();
    archive_ = archive_for(*command_.out);
    const base::Fd null_fd = base::open_file("/dev/null", O_RDWR);
    session_->start_command(
        {.args = {"sh", "-c", send_out_directory, out_directory_}, .env = command_.env, .cwd = "/"},
        {.in = null_fd.get(), .out = archive_.get(), .err = STDERR_FILENO},
        {.on_started = {}, .on_end = [this](const sandbox::Outcome& archived) {
           if (lost_ || !archive_) return;
           if (session_->lost()) return lose(*session_->lost());
           if (archived.error) {
             lost_ = base::Error(archived.error->kind(),
                                 fmt::format("cannot bring the lab's files to {}: {}",
                                             command_.out->string(), archived.error->message()));
           } else if (archived.status != 0) {
             lost_ = base::Error(base::ErrorKind::system, "the lab could not send what is in /out");
           }
           finish();
         }});
  }

  void finish() {
    status_ = ended_status_;
    loop_.stop();
  }

  void lose(const base::Error& reason) {
    lost_ = reason;
    loop_.stop();
  }

  void pass_signals() {
    signalfd_siginfo info{};
    while (base::read_some(signals_.get(), std::as_writable_bytes(std::span(&info, 1)))) {
      const auto number = static_cast<int>(info.ssi_signo);
      if (process_ && !archive_) {
        session_->signal(*process_, number);
      } else if (archive_) {
        give_up(number);
      } else {  // there is nothing yet that could take it
        status_ = 128 + number;
        loop_.stop();
      }
    }
  }

  // Without what is in /out, which shall not stay in the lab.
  void give_up(int signal) {
    archive_.reset();
    status_ = 128 + signal;
    process_.reset();  // the next signal ends this at once
    session_->start_command(
        {.args = {"rm", "-rf", out_directory_}, .env = command_.env, .cwd = "/"}, {-1, -1, -1},
        {.on_started = {}, .on_end = [this](const auto&) { loop_.stop(); }});
  }

  const LabCommand& command_;
  base::EventLoop loop_;
  base::Fd signals_;
  base::EventLoop::TimerId limit_ = -1;
  std::unique_ptr<sandbox::AgentSession> session_;
  std::optional<sandbox::AgentSession::ProcessId> process_;
  std::string out_directory_;
  base::Fd archive_;
  int ended_status_ = 0;
  std::optional<int> status_;
  std::optional<base::Error> lost_;
};

}  // namespace

std::optional<int> run_through_agent(base::Fd socket, int log, const LabCommand& command,
                                     std::chrono::milliseconds limit) {
  try {
    return AgentRun(std::move(socket), command, limit).run();
  } catch (const base::Error& error) {
    const auto tail = log_tail(log);
    if (tail.empty()) throw;
    throw base::Error(error.kind(),
                      fmt::format("{}\nthe lab's last lines:\n{}", error.message(), tail),
                      error.hint());
  }
}

}  // namespace twinbox::qemu
