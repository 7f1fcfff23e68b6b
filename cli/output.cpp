#include "cli/output.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/error.hpp"
#include "cli/report.hpp"

namespace twinbox::cli {
namespace {

constexpr int reader_gone = 128 + SIGPIPE;

// An errno value: what a flush could not write is not there for the next one to fail with.
int first_failure = 0;

}  // namespace

void flush_output() {
  if (std::fflush(stdout) != 0 && first_failure == 0) first_failure = errno;
}

void flush_output_or_end() {
  flush_output();
  if (first_failure != 0) throw OutputFailed{first_failure};
}

int output_failed(int error) {
  if (error == EPIPE) return reader_gone;
  return report(base::system_error(error, "cannot write to standard output"));
}

int finish_output(int status) {
  flush_output();
  return first_failure == 0 ? status : output_failed(first_failure);
}

}  // namespace twinbox::cli
