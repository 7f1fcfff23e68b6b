#include "cli/box_files.hpp"

#include <fcntl.h>

#include "base/error.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "cli/bounded_answer.hpp"
#include "cli/box_status.hpp"
#include "cli/each_box.hpp"

namespace twinbox::cli {
namespace {

void run_in_running_box(const supervise::BoxRecord& record, const sandbox::FileTask& task,
                        sandbox::Stdio stdio) {
  base::EventLoop loop;
  const auto client = supervise::BoxClient::connect(loop, box_store(), record);
  std::optional<sandbox::Outcome> end;
  client->exec({.process = {},
                .task = task,
                .stdio = stdio,
                .on_executed = {},
                .on_exit = [&](const sandbox::Outcome& outcome) {
                  end = outcome;
                  loop.stop();
                }});
  while (!end) loop.run();
  if (end->error) throw *end->error;
  if (end->status == 0) return;
  throw base::Error(base::ErrorKind::system,
                    fmt::format("the files of box {} could not be worked on", record.name));
}

// A machine's guest writes the description.
constexpr std::size_t longest_description = 64 * base::kibibyte;

}  // namespace

BoxFiles::BoxFiles(const supervise::BoxRecord& record) : record_(record) {
  if (!is_alive(record.state.status)) stopped_.emplace(record);
}

void BoxFiles::run(const sandbox::FileTask& task, sandbox::Stdio stdio) const {
  if (!stopped_) return run_in_running_box(record_, task, stdio);
  stopped_->engine().run_file_task(stopped_->box(), task, stdio);
}

std::optional<sandbox::PathInfo> BoxFiles::describe(const std::string& path) const {
  const BoundedAnswer answer(longest_description);
  const auto nothing = base::open_file("/dev/null", O_RDWR);
  try {
    run({.kind = sandbox::FileTask::Kind::describe, .path = path},
        {.in = nothing.get(), .out = answer.fd(), .err = nothing.get()});
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) throw;
    return std::nullopt;
  }
  return sandbox::path_info_from_json(answer.text(), "the description of " + path);
}

std::string name_in_box(const std::filesystem::path& path) {
  const auto last = path.filename();
  if (!last.empty() && last != "." && last != "..") return last;
  const auto name = path.lexically_normal().parent_path().filename();
  return name.empty() ? "." : name.string();
}

}  // namespace twinbox::cli
