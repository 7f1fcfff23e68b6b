// twinbox compare: measures kinds of boxes against each other.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/compare_flags.hpp"
#include "cli/options.hpp"
#include "cli/progress_bar.hpp"
#include "cli/verbs.hpp"
#include "compare/comparison.hpp"
#include "compare/interruption.hpp"
#include "compare/plan_json.hpp"
#include "compare/report/terminal.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::cli {
namespace {

struct Place {
  bool here = false;
  bool lab = false;
  std::string out = "twinbox-report";
  // How a comparison in the lab works together with the one that waits for it.
  bool tell_parts = false;
  std::string go_on_from;
};

bool needs_lab(const compare::Plan& plan, const Place& place) {
  if (place.lab) return true;
  const bool machines = std::ranges::any_of(plan.engines, [&](const std::string& engine) {
    return plan.settings_of(engine).engine == "vm";
  });
  if (!machines) return false;
  const auto host = vmm::kvm::probe_host();
  if (host.runs_linux()) return false;
  if (!place.here) return true;
  // `run` would take QEMU in its place, which is another engine than the one that is asked for.
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("vm cannot be measured here: {}", host.explanation),
                    "measure in the lab, without --here, or the engine qemu");
}

compare::Result measure_and_tell(const compare::Plan& plan, const Place& place,
                                 const compare::ProgressHandler& progress) {
  compare::Result finished;
  if (!place.go_on_from.empty()) {
    compare::read_part(base::read_file(place.go_on_from), place.go_on_from, finished);
  }
  compare::Journal journal(finished, [&](const std::string& line) {
    if (place.tell_parts) fmt::print(stderr, "{}", compare::told_part(line));
  });
  return compare::measure_here(plan, journal, progress);
}

// Finished samples are kept beside where the reports will be, until these are written.
compare::Result measure(const compare::Plan& plan, const Place& place,
                        const compare::ProgressHandler& progress, compare::JournalFile& file) {
  compare::Journal journal(file.finished(), [&](const std::string& line) { file.append(line); });
  auto result = compare::measure(plan, needs_lab(plan, place), journal, progress);
  file.head().date(result);
  return result;
}

// With the journal, or, for the one in the lab, without.
compare::Result measure_all(const compare::Plan& plan, const Place& place,
                            std::optional<compare::JournalFile>& journal) {
  const ProgressBar bar;
  const auto progress = [&](const compare::ProgressEvent& event) { bar.show(event); };
  if (place.tell_parts) return measure_and_tell(plan, place, progress);
  base::make_directories(place.out);
  const std::filesystem::path directory(place.out);
  journal.emplace(directory / "journal.jsonl", compare::begin(plan, needs_lab(plan, place)));
  base::write_file_atomic(directory / "plan.json", compare::write_plan(plan).dump(2) + "\n");
  return measure(plan, place, progress, *journal);
}

int show(const compare::Result& result, const std::string& directory) {
  const auto paths = compare::write_reports(result, directory);
  fmt::print("{}\nReports:\n  {}\n  {}\n", compare::render_terminal(result), paths.page.string(),
             paths.json.string());
  return result.starts.empty() ? 1 : 0;
}

// Nothing where only the help was asked for.
std::optional<compare::Plan> asked_plan(const Arguments& arguments, Place& place) {
  CompareFlags flags;
  Options options("compare [flags] [PLAN]",
                  "Measures start-up, memory, density and speed of workloads in several kinds of "
                  "boxes, as PLAN (see docs/plan.schema.json) or the flags say, and writes "
                  "report.json and index.html. What is interrupted goes on where it was when it is "
                  "started again. `compare show` shows a finished report, `compare diff` sets two "
                  "against one another.");
  flags.declare(options);
  options.flag("here", "measure on this host, also where it cannot run machines", place.here);
  options.flag("lab", "measure in the deterministic lab, also where this host runs machines",
               place.lab);
  options.value("out", "DIR", "where the reports go (twinbox-report)", place.out);
  options.flag("tell-parts",
               "write finished samples to the standard error: for what waits outside of the lab",
               place.tell_parts);
  options.value("go-on-from", "FILE", "finished samples of an interrupted run: for the lab",
                place.go_on_from);
  const auto rest = options.parse(arguments);
  if (options.help_shown()) return std::nullopt;
  if (rest.size() > 1) {
    throw base::Error(base::ErrorKind::usage, fmt::format("unexpected argument '{}'", rest[1]),
                      options.see_help());
  }
  if (place.here && place.lab) {
    throw base::Error(base::ErrorKind::usage, "--here and --lab exclude each other",
                      options.see_help());
  }
  return flags.plan(rest.empty() ? "" : rest.front());
}

}  // namespace

int compare(const Arguments& arguments) {
  if (!arguments.empty() && (arguments.front() == "diff" || arguments.front() == "show")) {
    const Arguments rest(arguments.begin() + 1, arguments.end());
    return arguments.front() == "diff" ? compare_diff(rest) : compare_show(rest);
  }
  Place place;
  const auto plan = asked_plan(arguments, place);
  if (!plan) return 0;
  compare::Result result;
  std::optional<compare::JournalFile> journal;
  Arguments command{"twinbox", "compare"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  try {
    const compare::InterruptionWatch watch;
    result = measure_all(*plan, place, journal);
  } catch (const compare::Interrupted& interruption) {
    fmt::print(stderr, "twinbox: interrupted; {} finished parts are kept in {}\nhint: go on: {}\n",
               journal ? journal->parts() : 0, place.out, base::shell_line(command));
    return 128 + interruption.signal();
  }
  result.command = base::shell_line(command);
  const int status = show(result, place.out);
  if (journal) journal->remove();
  return status;
}

}  // namespace twinbox::cli
