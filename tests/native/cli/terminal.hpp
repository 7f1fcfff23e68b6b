// A `twinbox` command at a terminal, as a user sits at one.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::testing {

// Starts at once with a new terminal as its streams. Waiting has a generous limit, past which
// base::Error is thrown. The destructor kills what still runs.
class Terminal {
 public:
  Terminal(const std::string& program, const std::vector<std::string>& args,
           const std::vector<std::string>& variables, sandbox::TerminalSize size = {80, 24});
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  void type(const std::string& keys);
  void resize(sandbox::TerminalSize size);
  void signal(int number) const;
  // Until `text` has been shown, after what was waited for before.
  void wait_for(const std::string& text);
  // Until the command's end. Its status as a shell reports it.
  int finish();
  const std::string& shown() const { return shown_; }
  // Whether keys are passed on as they are and not shown by the terminal itself.
  bool is_raw() const;

 private:
  bool read_more();

  base::Fd master_;
  base::Fd slave_;  // so that the terminal outlives the command
  pid_t pid_ = -1;
  std::string shown_;
  std::size_t seen_ = 0;
};

}  // namespace twinbox::testing
