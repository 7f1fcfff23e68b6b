// twinbox run: an image's workload in a new box.
#include <fmt/format.h>

#include <string>

#include "base/file.hpp"
#include "cli/launch.hpp"
#include "cli/new_box.hpp"
#include "cli/new_copy.hpp"
#include "cli/run_options.hpp"
#include "cli/run_spec.hpp"
#include "cli/verbs.hpp"
#include "sandbox/stamp.hpp"

namespace twinbox::cli {
namespace {

ForegroundOptions foreground_of(const RunOptions& run, const NewBox& box) {
  return {.input = attaches_to(run, "stdin"),
          .output = attaches_to(run, "stdout"),
          .errors = attaches_to(run, "stderr"),
          .terminal = box.spec.process.terminal,
          .signal_proxy = run.signal_proxy && !run.detach,
          .detach_keys = run.detach_keys};
}

void tell_start(const RunOptions& run, const supervise::Started& box) {
  if (!run.pid_file.empty()) base::write_file(run.pid_file, fmt::format("{}\n", box.pid));
  if (run.detach) fmt::print("{}\n", box.id);
}

int run_box(const RunOptions& run, const sandbox::Stamp& entered) {
  auto box = run.from.empty() ? plan_box(run) : plan_copy(run);
  const auto foreground = foreground_of(run, box);
  check_foreground(foreground);
  if (foreground.terminal) box.spec.process.terminal_size = terminal_size();
  auto request = launch_request(box);
  request.die_with_parent = run.die_with_parent;
  LaunchOptions options{
      .foreground = foreground, .wait_until_gone = run.remove, .detach = run.detach};
  options.on_started = [&](const supervise::Started& started) { tell_start(run, started); };
  if (!run.marks.empty()) {
    options.on_marks = [&](sandbox::Marks marks) {
      // What the engine does not stamp itself; the first stamp of a mark stands.
      marks.stamp(sandbox::Mark::entered, entered);
      marks.stamp(sandbox::Mark::gone);
      base::write_file(run.marks, marks.to_json());
    };
  }
  return launch(request, options);
}

}  // namespace

int run(const Arguments& arguments) {
  sandbox::count_cpu_as_told();
  const auto entered = sandbox::Stamp::now();
  RunOptions run_options;
  Options options("run [FLAGS] IMAGE [COMMAND...]",
                  "Runs IMAGE's workload, or COMMAND in IMAGE, in a new box and exits with its "
                  "status;\nor, with --from SNAPSHOT and no IMAGE, goes on from there in a new "
                  "box.\n125: twinbox failed; 126: the command cannot be executed; 127: it is "
                  "not there; 128+n: killed by signal n.");
  run_options.declare(options);
  run_options.declare_for_run(options);
  auto words = options.parse(arguments);
  if (options.help_shown()) return 0;
  run_options.take(std::move(words), options);
  return run_box(run_options, entered);
}

}  // namespace twinbox::cli
