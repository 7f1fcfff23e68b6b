#include "cli/foreground.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "cli/report.hpp"

namespace twinbox::cli {
namespace {

// All that a user or a supervisor may mean for the workload. Not SIGCHLD, SIGPIPE, SIGURG, and not
// the job control signals, which stop and continue this process itself.
constexpr std::array handled{SIGTERM, SIGINT,  SIGHUP,   SIGQUIT, SIGUSR1,
                             SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};

bool ends_a_command(int number) { return number != SIGWINCH && number != SIGCONT; }

}  // namespace

void check_foreground(const ForegroundOptions& options) {
  parse_detach_keys(options.detach_keys);
  if (options.input && options.terminal && ::isatty(STDIN_FILENO) == 0) {
    throw base::Error(base::ErrorKind::usage, "the input device is not a TTY",
                      "leave -t away where standard input is no terminal");
  }
}

Foreground::Foreground(base::EventLoop& loop, const ForegroundOptions& options)
    : loop_(loop), options_(options), signals_(base::make_signalfd(handled)) {
  loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { take_signals(); });
  if (!options_.input || !options_.terminal) return;
  raw_.emplace(STDIN_FILENO, RawTerminal::Output::raw);
  typed_.emplace(loop_, STDIN_FILENO, parse_detach_keys(options_.detach_keys), [this] { end({}); });
}

Foreground::~Foreground() {
  if (loop_.watches(signals_.get())) loop_.remove(signals_.get());
}

sandbox::Stdio Foreground::stdio() const {
  const int input = typed_ ? typed_->output() : STDIN_FILENO;
  return {.in = options_.input ? input : -1,
          .out = options_.output ? STDOUT_FILENO : -1,
          .err = options_.errors && !options_.terminal ? STDERR_FILENO : -1};
}

std::function<void(const sandbox::Outcome&)> Foreground::on_end() {
  return [this](const sandbox::Outcome& outcome) { end({.outcome = outcome, .signal = {}}); };
}

void Foreground::follow(supervise::BoxClient& client, supervise::BoxClient::StreamId stream) {
  client_ = &client;
  stream_ = stream;
}

void Foreground::tell_size() {
  const auto size = terminal_size();
  if (!end_ && options_.terminal && client_ != nullptr && size.columns != 0)
    client_->resize(stream_, size);
}

const Foreground::End& Foreground::wait() {
  while (!end_) loop_.run();
  return *end_;
}

int Foreground::status_of_end() {
  const auto& how = wait();
  if (how.signal) return 128 + *how.signal;
  if (!how.outcome) return 0;
  if (how.outcome->error) report(*how.outcome->error);
  return how.outcome->status;
}

void Foreground::wait_for_child(pid_t pid) {
  const auto child = base::open_pidfd(pid);
  bool gone = false;
  loop_.add(child.get(), EPOLLIN, [&](std::uint32_t) {
    gone = true;
    loop_.stop();
  });
  while (!gone && !impatient_) loop_.run();
  loop_.remove(child.get());
}

void Foreground::take_signals() {
  signalfd_siginfo info{};
  while (base::read_some(signals_.get(), std::as_writable_bytes(std::span(&info, 1)))) {
    take_signal(static_cast<int>(info.ssi_signo));
  }
}

void Foreground::take_signal(int number) {
  const bool passes_on = options_.signal_proxy && !options_.terminal && client_ != nullptr;
  if (passes_on && !end_) return client_->signal(stream_, number);
  if (number == SIGWINCH) return tell_size();
  if (ends_a_command(number)) end({.outcome = {}, .signal = number});
}

void Foreground::end(const End& how) {
  impatient_ = end_.has_value();
  if (!end_) end_ = how;
  loop_.stop();
}

}  // namespace twinbox::cli
