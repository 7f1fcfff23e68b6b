#include "tests/native/cli/command.hpp"

#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::testing {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment(const std::vector<std::string>& variables) {
  std::vector<std::string> result = variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("TWINBOX_")) result.emplace_back(*variable);
  }
  return result;
}

}  // namespace

Command::Command(const std::string& program, const std::vector<std::string>& args,
                 const std::vector<std::string>& variables, std::string input)
    : input_(std::move(input)) {
  auto [child_in, in] = base::make_pipe();
  auto [out, child_out] = base::make_pipe();
  auto [err, child_err] = base::make_pipe();
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, child_in.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, child_out.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, child_err.get(), STDERR_FILENO);
  std::vector<std::string> words{program};
  words.insert(words.end(), args.begin(), args.end());
  const auto settings = environment(variables);
  const int failure = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                                    pointers(words).data(), pointers(settings).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw base::system_error(failure, "cannot start " + program);
  in_ = std::move(in);
  out_ = std::move(out);
  err_ = std::move(err);
  for (const int fd : {in_.get(), out_.get(), err_.get()}) base::set_nonblocking(fd, true);
  ::signal(SIGPIPE, SIG_IGN);
}

Command::~Command() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Command::signal(int number) const {
  if (!reaped_) ::kill(pid_, number);
}

void Command::wait_for_output(const std::string& text) {
  pump_until([&] {
    if (result_.out.find(text) != std::string::npos) return true;
    if (out_) return false;
    throw base::Error(base::ErrorKind::conflict, "the command ended without saying " + text +
                                                     "; it said: " + result_.out + result_.err);
  });
}

CommandResult Command::finish(std::chrono::seconds patience) {
  pump_until([&] { return !out_ && !err_; }, patience);
  in_.reset();
  result_.status = reap();
  return result_;
}

int Command::reap() {
  const int status = base::shell_status(base::wait_for(pid_));
  reaped_ = true;
  return status;
}

void Command::pump_until(const std::function<bool()>& condition, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw base::Error(base::ErrorKind::conflict,
                        "the command takes too long; it said: " + result_.out + result_.err);
    }
    pump_once(1000);
  }
}

void Command::pump_once(int timeout_ms) {
  if (in_ && input_.empty()) in_.reset();
  std::array<pollfd, 3> watched{pollfd{in_.get(), POLLOUT, 0}, pollfd{out_.get(), POLLIN, 0},
                                pollfd{err_.get(), POLLIN, 0}};
  if (::poll(watched.data(), watched.size(), timeout_ms) <= 0) return;
  if (watched[0].revents != 0) feed();
  if (watched[1].revents != 0) drain(out_, result_.out);
  if (watched[2].revents != 0) drain(err_, result_.err);
}

void Command::feed() {
  try {
    const auto written = base::write_some(in_.get(), std::as_bytes(std::span(input_)));
    input_.erase(0, written.value_or(0));
  } catch (const base::Error&) {
    input_.clear();  // it reads no more
  }
}

void Command::drain(base::Fd& from, std::string& to) {
  std::array<std::byte, 65536> buffer{};
  const auto count = base::read_some(from.get(), buffer);
  if (!count) return;
  if (*count == 0) from.reset();
  to.append(reinterpret_cast<const char*>(buffer.data()), *count);
}

}  // namespace twinbox::testing
