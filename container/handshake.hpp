// What a process of a box tells its parent over a socket, typed at both ends.
//
// The order is ready, terminal where it has one, executing, then the end of the socket, which
// close-on-exec brings about: the program runs. At any point before `executing` `failed` may come
// instead, behind it `exec_failed`. An end without `executing` means that the process was killed
// while it set itself up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "container/report_abi.hpp"
#include "sandbox/stamp.hpp"

namespace twinbox::container {

// A reason why the workload never ran, with the exit status that stands for it.
struct Failure {
  int status;
  base::Error error;
};

// The child's end.
void report_ready(int socket, std::uint64_t mount_namespace);
// For a child that executes no program but does its work itself.
void report_executing(int socket);
void report_failure(int socket, const Failure& failure);
// These hand a descriptor over.
void report_terminal(int socket, int master);
void report_upper(int socket, int directory);

// The parent's end.
struct Received {
  std::string bytes;  // empty at the end
  base::Fd descriptor;
};
// What a non-blocking socket has now; nullopt when nothing.
std::optional<Received> receive_report(int socket);

struct ReportHandlers {
  std::function<void(const sandbox::Stamp& stamp, std::uint64_t mount_namespace)> on_ready;
  std::function<void()> on_executing;
  // The descriptor came with the same bytes.
  std::function<void()> on_terminal{};
  std::function<void()> on_upper{};
  std::function<void(const Failure&)> on_failed;
  std::function<void(int error_number)> on_exec_failed;
};

// What does the work behind `executing`, and may report that it failed: a program may not.
enum class Worker { program, reporter };

// Other processes of a box can come by the socket of one that is about to execute its program,
// since from the stub on it is theirs to look into. So nothing is believed but what may come: each
// report once, in that order, of a bounded size. Anything else is told to on_failed, and nothing
// after it, nor after a failure, is looked at.
class ReportDecoder {
 public:
  explicit ReportDecoder(ReportHandlers handlers, Worker worker = Worker::reporter)
      : handlers_(std::move(handlers)), worker_(worker) {}
  void feed(std::span<const std::byte> bytes);

 private:
  bool may_come(std::uint32_t type) const;
  void refuse();
  void dispatch(const report_abi::Header& header, std::string_view text);

  ReportHandlers handlers_;
  Worker worker_;
  std::string buffer_;
  std::uint32_t come_ = 0;  // a bit for each type
  bool concluded_ = false;
};

// Why executing `command` failed, as docker and shells number it: 127 when it is not there, 126
// when it cannot be run.
Failure exec_failure(int error_number, const std::string& command);

}  // namespace twinbox::container
