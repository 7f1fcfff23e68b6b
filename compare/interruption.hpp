// What a comparison does when it is asked to end (SIGINT, SIGTERM, SIGHUP): an exception in the
// thread that measures, so that everything is undone on the way out.
#pragma once

#include <exception>

namespace twinbox::compare {

class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  int signal() const { return signal_; }
  const char* what() const noexcept override { return "the comparison was interrupted"; }

 private:
  int signal_;
};

// While one lives, the first of these signals is kept for stop_if_interrupted(); the second ends
// the process at once. There is one at most.
class InterruptionWatch {
 public:
  InterruptionWatch();
  InterruptionWatch(const InterruptionWatch&) = delete;
  InterruptionWatch& operator=(const InterruptionWatch&) = delete;
  ~InterruptionWatch();
};

// Readable from the signal on, for whoever polls; -1, which poll() ignores, without a watch.
int interruption_fd();
// Throws Interrupted from the signal on.
void stop_if_interrupted();

}  // namespace twinbox::compare
