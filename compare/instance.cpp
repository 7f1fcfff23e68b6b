#include "compare/instance.hpp"

#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"
#include "compare/interruption.hpp"
#include "sandbox/stamp.hpp"

namespace twinbox::compare {
namespace {

constexpr std::string_view ready_line = "ready\n";
constexpr std::size_t kept_errors = 4096;

std::uint64_t nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_usec) * 1000U;
}

bool has_ready_line(std::string_view text) {
  return text.starts_with(ready_line) || text.find("\nready\n") != std::string_view::npos;
}

// Streams of the child and the counter that it may read, if any, a process group of its own (a
// terminal's Ctrl-C is for the comparison, which ends its commands itself), and SIGPIPE as a new
// program expects it: our own caller ignores it.
class SpawnSettings {
 public:
  SpawnSettings(const std::array<int, 3>& streams, int counter) {
    ::posix_spawn_file_actions_init(&actions_);
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      ::posix_spawn_file_actions_adddup2(&actions_, streams.at(static_cast<std::size_t>(number)),
                                         number);
    }
    // Onto itself: it stays open in the child.
    if (counter >= 0) ::posix_spawn_file_actions_adddup2(&actions_, counter, counter);
    ::posix_spawnattr_init(&attributes_);
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Of this process, with the number of the counter that the command may read (-1: none) and with
// `more`, each "NAME=value", in place of what it has of these names.
class Environment {
 public:
  Environment(int counter, std::vector<std::string> more)
      : more_(std::move(more)),
        counter_(fmt::format("{}={}", sandbox::cpu_counter_variable, counter)) {
    for (char** variable = environ; *variable != nullptr; ++variable) {
      // A counter of our own is of no event that counts this command.
      const bool replaced = same_name(counter_, *variable) ||
                            std::ranges::any_of(more_, [&](const std::string& other) {
                              return same_name(other, *variable);
                            });
      if (!replaced) variables_.push_back(*variable);
    }
    for (auto& variable : more_) variables_.push_back(variable.data());
    if (counter >= 0) variables_.push_back(counter_.data());
    variables_.push_back(nullptr);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  char* const* data() const { return variables_.data(); }

 private:
  static bool same_name(const std::string& one, std::string_view other) {
    return other.starts_with(std::string_view(one).substr(0, one.find('=') + 1));
  }

  std::vector<std::string> more_;
  std::string counter_;
  std::vector<char*> variables_;
};

// Appends what a non-blocking descriptor holds; closes it at its end.
bool drain(base::Fd& from, std::string& to) {
  std::array<std::byte, 16384> buffer{};
  bool any = false;
  while (from) {
    const auto count = base::read_some(from.get(), buffer);
    if (!count) break;
    if (*count == 0) from.reset();
    any = any || *count > 0;
    to.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  return any;
}

// The file of a program that is named as in a shell; the name itself where PATH has none.
std::string program_file(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const auto file = base::find_program(name);
  return file.empty() ? name : file.string();
}

int milliseconds_until(std::uint64_t deadline) {
  const auto now = base::monotonic_now();
  return now >= deadline ? 0 : static_cast<int>((deadline - now) / 1'000'000U) + 1;
}

std::uint64_t deadline_after(std::chrono::seconds timeout) {
  return base::monotonic_now() + static_cast<std::uint64_t>(timeout.count()) * 1'000'000'000U;
}

}  // namespace

Instance::Instance(const std::vector<std::string>& command, Input input, Cpu cpu,
                   std::vector<std::string> environment)
    : name_(command.at(0)), environment_(std::move(environment)) {
  if (cpu != Cpu::not_counted) cpu_.emplace();
  base::Fd child_input;
  if (input == Input::held_open) {
    std::tie(child_input, input_) = base::make_pipe();
  } else {
    child_input = base::open_file("/dev/null", O_RDONLY);
  }
  auto [output, child_output] = base::make_pipe();
  auto [errors, child_errors] = base::make_pipe();
  output_pipe_ = std::move(output);
  error_pipe_ = std::move(errors);
  base::set_nonblocking(output_pipe_.get(), true);
  base::set_nonblocking(error_pipe_.get(), true);
  const int counter = cpu == Cpu::handed_on ? cpu_->descriptor() : -1;
  spawn(command, {child_input.get(), child_output.get(), child_errors.get()}, counter);
}

Instance::Instance(Instance&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      process_(std::move(other.process_)),
      input_(std::move(other.input_)),
      output_pipe_(std::move(other.output_pipe_)),
      error_pipe_(std::move(other.error_pipe_)),
      output_(std::move(other.output_)),
      errors_(std::move(other.errors_)),
      error_line_(std::move(other.error_line_)),
      on_error_line_(std::move(other.on_error_line_)),
      stamps_(other.stamps_),
      cpu_(std::move(other.cpu_)),
      cpu_stamps_(other.cpu_stamps_),
      end_(other.end_),
      ended_(std::exchange(other.ended_, true)) {}

void Instance::ask_to_end() noexcept {
  if (pid_ < 0 || ended_ || end_deadline_ != 0) return;
  heeds_interruption_ = false;
  input_.reset();
  ::kill(pid_, SIGTERM);
  end_deadline_ = deadline_after(std::chrono::seconds(2));
}

Instance::~Instance() {
  if (pid_ < 0 || ended_) return;
  ask_to_end();
  try {
    while (!ended_ && step(end_deadline_)) {
    }
  } catch (const std::exception&) {
    // Out of descriptors or memory: the kill below needs neither.
  }
  if (!ended_) kill_and_reap();
}

// With all that it has started and that has not left its process group: that would go on beside
// what is measured next.
void Instance::kill_and_reap() noexcept {
  ::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  ended_ = true;
}

void Instance::spawn(const std::vector<std::string>& command, const std::array<int, 3>& streams,
                     int counter) {
  const SpawnSettings settings(streams, counter);
  // Found before the request: the search is no part of what is measured.
  const auto program = program_file(name_);
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const Environment environment(counter, environment_);
  stamps_.request = base::monotonic_now();
  const int failure = ::posix_spawn(&pid_, program.c_str(), settings.actions(),
                                    settings.attributes(), arguments.data(), environment.data());
  if (failure != 0) {
    pid_ = -1;
    throw base::system_error(failure, fmt::format("cannot start {}", name_));
  }
  try {
    process_ = base::open_pidfd(pid_);
  } catch (const base::Error&) {
    kill_and_reap();  // no destructor runs for what is not yet constructed
    throw;
  }
}

bool Instance::is_running() {
  if (!ended_) step(0);
  return !ended_;
}

Instance::Readiness Instance::await_ready(std::chrono::seconds timeout) {
  const auto deadline = deadline_after(timeout);
  while (stamps_.ready == 0 && !ended_) {
    if (!step(deadline)) return Readiness::late;
  }
  return stamps_.ready != 0 ? Readiness::ready : Readiness::ended;
}

bool Instance::wait_ready(std::chrono::seconds timeout) {
  const auto readiness = await_ready(timeout);
  if (readiness == Readiness::late) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("{} was not ready after {} s", name_, timeout.count()));
  }
  return readiness == Readiness::ready;
}

Instance::End Instance::finish(std::chrono::seconds timeout, LineHandler on_error_line) {
  on_error_line_ = std::move(on_error_line);
  input_.reset();
  const auto deadline = deadline_after(timeout);
  while (!ended_) {
    if (!step(deadline)) {
      throw base::Error(base::ErrorKind::system,
                        fmt::format("{} had not ended after {} s", name_, timeout.count()));
    }
  }
  return end_;
}

bool Instance::step(std::uint64_t deadline) {
  std::array<pollfd, 4> watched{pollfd{output_pipe_.get(), POLLIN, 0},
                                pollfd{error_pipe_.get(), POLLIN, 0},
                                pollfd{process_.get(), POLLIN, 0},
                                pollfd{heeds_interruption_ ? interruption_fd() : -1, POLLIN, 0}};
  const int count = ::poll(watched.data(), watched.size(), milliseconds_until(deadline));
  if (heeds_interruption_) stop_if_interrupted();
  if (count < 0 && errno != EINTR) base::throw_errno("cannot wait for {}", name_);
  if (count <= 0) return count < 0;
  if (watched[0].revents != 0) drain_output();
  if (watched[1].revents != 0) drain_errors();
  if (watched[2].revents != 0) reap();
  return true;
}

void Instance::drain_output() {
  if (drain(output_pipe_, output_)) stamp_output(base::monotonic_now());
}

void Instance::stamp_output(std::uint64_t now) {
  // Read after the stamp: what reading takes is not in it.
  const auto cpu = cpu_ ? cpu_->read() : std::nullopt;
  if (stamps_.first_output == 0) {
    stamps_.first_output = now;
    cpu_stamps_.first_output = cpu;
  }
  if (stamps_.ready == 0 && has_ready_line(output_)) {
    stamps_.ready = now;
    cpu_stamps_.ready = cpu;
  }
}

void Instance::drain_errors() {
  std::string text;
  drain(error_pipe_, text);
  errors_ += text;
  if (errors_.size() > kept_errors) errors_.erase(0, errors_.size() - kept_errors);
  if (!on_error_line_) return;
  error_line_ += text;
  for (auto end = error_line_.find('\n'); end != std::string::npos; end = error_line_.find('\n')) {
    on_error_line_(std::string_view(error_line_).substr(0, end));
    error_line_.erase(0, end + 1);
  }
}

void Instance::reap() {
  // What was asked to end may have left others in its group; until it is reaped, the group's number
  // is nobody else's.
  if (end_deadline_ != 0) ::kill(-pid_, SIGKILL);
  int status = 0;
  rusage usage{};
  pid_t reaped = -1;
  do {
    reaped = ::wait4(pid_, &status, 0, &usage);
  } while (reaped < 0 && errno == EINTR);
  stamps_.gone = base::monotonic_now();
  if (cpu_) cpu_stamps_.gone = cpu_->read();
  ended_ = true;
  if (reaped < 0) base::throw_errno("cannot wait for {}", name_);
  end_ = {base::shell_status(status), nanoseconds(usage.ru_utime), nanoseconds(usage.ru_stime)};
  // What it wrote last may have come after the poll that told its end.
  drain_output();
  drain_errors();
}

}  // namespace twinbox::compare
