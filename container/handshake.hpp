// What a box's first process tells its parent over a pipe, typed at both ends.
//
// The order is ready, executing, then the end of the pipe, which close-on-exec brings about: the
// workload runs. At any point `failed` or `exec_failed` may come instead. An end without
// `executing` means that the process was killed while it set itself up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "container/report_abi.hpp"

namespace twinbox::container {

// A reason why the workload never ran, with the exit status that stands for it.
struct Failure {
  int status;
  base::Error error;
};

// The child's end.
void report_ready(int pipe, std::uint64_t mount_namespace);
void report_failure(int pipe, const Failure& failure);

// The parent's end.
struct ReportHandlers {
  std::function<void(std::uint64_t time, std::uint64_t mount_namespace)> on_ready;
  std::function<void()> on_executing;
  std::function<void(const Failure&)> on_failed;
  std::function<void(int error_number)> on_exec_failed;
};

class ReportDecoder {
 public:
  explicit ReportDecoder(ReportHandlers handlers) : handlers_(std::move(handlers)) {}
  void feed(std::span<const std::byte> bytes);

 private:
  void dispatch(const report_abi::Header& header, std::string_view text);

  ReportHandlers handlers_;
  std::string buffer_;
};

// Why executing `command` failed, as docker and shells number it: 127 when it is not there, 126
// when it cannot be run.
Failure exec_failure(int error_number, const std::string& command);

}  // namespace twinbox::container
