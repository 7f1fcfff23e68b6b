// A `twinbox` command as a user would run it, driven from a test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::testing {

struct CommandResult {
  int status = -1;  // as a shell reports it
  std::string out;
  std::string err;
};

// Starts at once; everything is piped. Waiting has a generous limit (far beyond what anything
// takes, also on a busy machine), past which the command is killed and base::Error thrown. The
// destructor kills what still runs.
class Command {
 public:
  // `args` follow the program's name. `variables` ("KEY=VALUE") are added to the environment.
  Command(const std::string& program, const std::vector<std::string>& args,
          const std::vector<std::string>& variables, std::string input = {});
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command();

  pid_t pid() const { return pid_; }
  // Until its standard output contains `text`.
  void wait_for_output(const std::string& text);
  // Safe also after its end: it is not reaped before finish().
  void signal(int number) const;
  // Until its end and the end of its output.
  CommandResult finish(std::chrono::seconds patience = std::chrono::minutes(2));
  // Until its end alone: what it started may still hold its streams. Its status.
  int reap();

 private:
  void pump_until(const std::function<bool()>& condition,
                  std::chrono::seconds patience = std::chrono::minutes(2));
  void pump_once(int timeout_ms);
  void feed();
  static void drain(base::Fd& from, std::string& to);

  pid_t pid_ = -1;
  bool reaped_ = false;
  std::string input_;
  base::Fd in_;
  base::Fd out_;
  base::Fd err_;
  CommandResult result_;
};

}  // namespace twinbox::testing
