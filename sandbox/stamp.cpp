#include "sandbox/stamp.hpp"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

// Of the process, like its log's level: set once at its start, before it has threads.
int counter = -1;

std::uint64_t read_counter() {
  std::uint64_t nanoseconds = 0;
  const auto count = ::read(counter, &nanoseconds, sizeof nanoseconds);
  return count == sizeof nanoseconds ? nanoseconds : 0;
}

// -1 for what is no number.
int descriptor_from(std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : -1;
}

}  // namespace

Stamp Stamp::now() {
  Stamp stamp{.monotonic_ns = base::monotonic_now()};
  // After the clock: what reading takes is not in the time that is told.
  if (counter >= 0) stamp.cpu_ns = read_counter();
  return stamp;
}

void count_cpu_with(int descriptor) {
  std::uint64_t id = 0;
  // What nothing but a perf event answers to; reading another kind of file might take what is in
  // it.
  if (::ioctl(descriptor, PERF_EVENT_IOC_ID, &id) != 0) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("descriptor {} is no perf event to count CPU time with", descriptor),
        fmt::format("unset {}", cpu_counter_variable));
  }
  base::set_cloexec(descriptor, true);
  counter = descriptor;
}

void count_cpu_as_told() {
  const char* const number = std::getenv(cpu_counter_variable);
  if (number != nullptr) count_cpu_with(descriptor_from(number));
}

int cpu_counter() { return counter; }

}  // namespace twinbox::sandbox
