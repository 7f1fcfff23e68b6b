// One spawned command, watched from outside: when it answered, when it was ready, when it was gone.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "compare/cpu_clock.hpp"

namespace twinbox::compare {

// Owns the process; the destructor ends it if it still runs.
//
//   Instance instance(command, Instance::Input::held_open);
//   instance.wait_ready(std::chrono::seconds(60));
//   ... measure ...
//   const auto end = instance.finish(std::chrono::seconds(60));
class Instance {
 public:
  enum class Cpu {
    not_counted,
    counted,
    handed_on,  // counted, and the command can read the counter: see sandbox/stamp.hpp
  };
  enum class Input {
    none,       // /dev/null
    held_open,  // a pipe that ends with finish()
  };
  // CLOCK_MONOTONIC in nanoseconds; 0 when it never came.
  struct Stamps {
    std::uint64_t request = 0;
    std::uint64_t first_output = 0;
    std::uint64_t ready = 0;
    std::uint64_t gone = 0;
  };
  // CPU time of the command and its descendants at a stamp, in nanoseconds; nothing where it is not
  // counted, or the kernel does not tell.
  struct CpuStamps {
    std::optional<std::uint64_t> first_output;
    std::optional<std::uint64_t> ready;
    std::optional<std::uint64_t> gone;
  };
  using LineHandler = std::function<void(std::string_view line)>;
  struct End {
    int status = 0;  // as a shell reports it
    std::uint64_t user_ns = 0;
    std::uint64_t system_ns = 0;
  };

  // Of instances that run at the same time at most the last one may be counted. `environment` is
  // what the command gets beside this process's own, each "NAME=value".
  Instance(const std::vector<std::string>& command, Input input, Cpu cpu = Cpu::not_counted,
           std::vector<std::string> environment = {});
  Instance(Instance&& other) noexcept;
  Instance& operator=(Instance&&) = delete;
  ~Instance();

  pid_t pid() const { return pid_; }
  const Stamps& stamps() const { return stamps_; }
  const CpuStamps& cpu_stamps() const { return cpu_stamps_; }
  const std::string& output() const { return output_; }
  const std::string& errors() const { return errors_; }

  // Whether it has not ended yet. Takes in what it has written meanwhile.
  bool is_running();
  // Of one that has ended.
  const End& end() const { return end_; }

  enum class Readiness { ready, ended, late };
  // Returns when the output holds the line "ready", the process has ended, or `timeout` is over.
  Readiness await_ready(std::chrono::seconds timeout);
  // Returns when the output holds the line "ready", or the process has ended, whichever is first;
  // true when ready. Throws base::Error after `timeout`.
  bool wait_ready(std::chrono::seconds timeout);
  // Ends the input and waits for the end of the process; `on_error_line` is given each line of its
  // standard error as it comes. Throws base::Error after `timeout`.
  End finish(std::chrono::seconds timeout, LineHandler on_error_line = {});
  // Asks it to end, as a user would, so that it can undo what it made. The destructor waits until
  // two seconds after that, and then ends it for good.
  void ask_to_end() noexcept;

 private:
  // `streams` become its standard input, output and error.
  void spawn(const std::vector<std::string>& command, const std::array<int, 3>& streams,
             int counter);
  // Takes what the process has to say within the time left; false when that has run out. Throws
  // Interrupted when the comparison is to end.
  bool step(std::uint64_t deadline);
  void drain_output();
  void drain_errors();
  void stamp_output(std::uint64_t now);
  void reap();
  void kill_and_reap() noexcept;

  std::string name_;
  std::vector<std::string> environment_;
  pid_t pid_ = -1;
  base::Fd process_;
  base::Fd input_;
  base::Fd output_pipe_;
  base::Fd error_pipe_;
  std::string output_;
  std::string errors_;  // the end of it
  std::string error_line_;
  LineHandler on_error_line_;
  Stamps stamps_;
  std::optional<CpuClock> cpu_;
  CpuStamps cpu_stamps_;
  End end_;
  bool ended_ = false;
  bool heeds_interruption_ = true;
  std::uint64_t end_deadline_ = 0;  // once it was asked to end
};

}  // namespace twinbox::compare
