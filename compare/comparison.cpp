#include "compare/comparison.hpp"

#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/environment.hpp"
#include "compare/instance.hpp"
#include "compare/page_cache.hpp"
#include "compare/parts.hpp"
#include "compare/plan_json.hpp"
#include "compare/provenance.hpp"
#include "compare/report/csv.hpp"
#include "compare/report/html.hpp"
#include "compare/report/markdown.hpp"
#include "compare/runner.hpp"
#include "compare/workplace.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

// Where the lab's commands leave files that come back.
constexpr const char* lab_out = "/out";
// What is given to the lab has the same path there every time: the length of an argument and the
// place of a name in the kernel's tables cost instructions, and pages.
constexpr const char* lab_plan = "/comparison/plan.json";
constexpr const char* lab_finished = "/comparison/finished.jsonl";
constexpr std::string_view part_prefix = "part: ";

std::vector<std::string> lab_command(const Plan& plan, const fs::path& plan_file,
                                     const fs::path& finished, const fs::path& out) {
  std::vector<std::string> command{sandbox::program_path("twinbox").string(),
                                   "lab",
                                   "exec",
                                   "--deterministic",
                                   "--die-with-parent",
                                   std::to_string(::getpid()),
                                   "--out",
                                   out.string()};
  std::vector<std::string> files{fmt::format("{}:{}", plan_file.string(), lab_plan),
                                 fmt::format("{}:{}", finished.string(), lab_finished)};
  // A kernel that is a file has to be there too.
  if (plan.kernel.starts_with('/')) files.push_back(plan.kernel);
  for (const auto& [name, settings] : plan.settings) {
    if (settings.kernel.starts_with('/')) files.push_back(settings.kernel);
  }
  // The image is imported there, too.
  if (plan.image_imports > 0) {
    if (const auto program = base::find_program("mkfs.erofs"); !program.empty()) {
      files.push_back(program.string());
    }
  }
  for (const auto& file : files) command.insert(command.end(), {"--with", file});
  command.insert(command.end(), {"--", "twinbox", "compare", "--here", "--out", lab_out,
                                 "--go-on-from", lab_finished, "--tell-parts", lab_plan});
  return command;
}

Result of_lab(Result result, std::vector<Fact> facts_of_this_host) {
  auto& host = result.hosts.at(0);
  host.name = "lab";
  host.kind = HostKind::deterministic_lab;
  for (auto& engine : result.engines) engine.host = host.name;
  result.hosts.push_back({"this host", HostKind::native, std::move(facts_of_this_host)});
  return result;
}

// A journal of the lab's part alone, whose parts go on to `journal` under the names of the lab.
Journal journal_of_lab(Journal& journal) {
  return {lab_part(journal.finished()), [&journal](const std::string& line) {
            Result part;
            read_part(line, "the lab's journal", part);
            rename_engines(part, lab_name);
            journal.append(part);
          }};
}

}  // namespace

std::string told_part(const std::string& line) { return std::string(part_prefix) + line; }

JournalHead begin(const Plan& plan, bool machines_in_lab) {
  check(plan);
  if (machines_in_lab && plan.page_cache == PageCache::cold) {
    throw base::Error(base::ErrorKind::usage,
                      "the lab has all its files in memory: no page cache can be cold there",
                      "measure engines that this host runs itself, with --here");
  }
  // Before anything else, so that the load is the one that it begins under.
  auto facts = collect_facts("/");
  return {plan, provenance(plan, divide(plan, machines_in_lab)), time_of_day(), std::move(facts)};
}

Result measure_here(const Plan& plan, Journal& journal, const ProgressHandler& progress) {
  const Workplace scratch;
  auto program = sandbox::program_path("twinbox");
  if (plan.page_cache == PageCache::cold) {
    for (const auto& place : {sandbox::data_root(), scratch.path()}) check_is_on_storage(place);
    program = copy_programs(scratch.path() / "bin");
  }
  Progress steps(progress);
  return Runner(plan, program, scratch.path(), journal, steps).run();
}

Result measure_in_lab(const Plan& plan, Journal& journal, const ProgressHandler& progress) {
  check(plan);
  const Workplace files;
  const auto plan_file = files.path() / "plan.json";
  const auto finished = files.path() / "finished.jsonl";
  const auto out = files.path() / "out";
  base::make_directories(out);
  base::write_file(plan_file, write_plan(plan).dump());
  base::write_file(finished, part_line(journal.finished()));
  progress(
      {.text = "this host has no hardware virtualization: measuring in the deterministic lab"});
  auto facts = collect_facts("/");
  Instance lab(lab_command(plan, plan_file, finished, out), Instance::Input::none);
  const auto end = lab.finish(std::chrono::hours(6), [&](std::string_view line) {
    if (line.starts_with(part_prefix)) {
      journal.append_line(line.substr(part_prefix.size()));
      return;
    }
    auto event = event_from_line(std::string(line));
    event.text.insert(0, "lab: ");
    progress(event);
  });
  if (end.status != 0) {
    throw base::Error(
        base::ErrorKind::system,
        fmt::format("the comparison in the lab ended with status {}: {}", end.status, lab.errors()),
        "see whether the lab works: twinbox lab exec -- true");
  }
  const auto report = out / "report.json";
  return of_lab(result_from_json(base::read_file(report), report.string()), std::move(facts));
}

Result measure(const Plan& plan, bool machines_in_lab, Journal& journal,
               const ProgressHandler& progress) {
  const auto division = divide(plan, machines_in_lab);
  if (division.lab.empty()) return measure_here(plan, journal, progress);
  if (!division.is_mixed()) return measure_in_lab(plan, journal, progress);

  auto in_lab = journal_of_lab(journal);
  auto lab = measure_in_lab(only(plan, division.lab), in_lab, progress);
  rename_engines(lab, lab_name);
  auto result = measure_here(only(plan, division.native), journal, progress);
  result.plan = plan;
  merge(result, std::move(lab));
  return result;
}

ReportPaths write_reports(const Result& result, const fs::path& directory) {
  base::make_directories(directory);
  ReportPaths paths{directory / "report.json", directory / "index.html"};
  base::write_file_atomic(paths.json, to_json(result));
  base::write_file_atomic(paths.page, render_html(result));
  base::write_file_atomic(directory / "samples.csv", render_csv(result));
  base::write_file_atomic(directory / "report.md", render_markdown(result));
  return paths;
}

}  // namespace twinbox::compare
