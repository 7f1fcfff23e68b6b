#include "compare/comparison.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/environment.hpp"
#include "compare/instance.hpp"
#include "compare/report/html.hpp"
#include "compare/runner.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::compare {
namespace {

// Where the lab's commands leave files that come back.
constexpr const char* lab_out = "/out";

// "container=24,process=24,vm=6".
std::string limits_text(const Plan& plan) {
  std::vector<std::string> parts;
  for (const auto& engine : plan.engines) {
    parts.push_back(fmt::format("{}={}", engine, plan.density.limit_of(engine)));
  }
  return fmt::format("{}", fmt::join(parts, ","));
}

std::vector<std::string> lab_command(const Plan& plan, const std::filesystem::path& out) {
  std::vector<std::string> command{sandbox::program_path("twinbox").string(),
                                   "lab",
                                   "exec",
                                   "--deterministic",
                                   "--out",
                                   out.string(),
                                   "--",
                                   "twinbox",
                                   "compare",
                                   "--here",
                                   "--out",
                                   lab_out,
                                   "--engines",
                                   fmt::format("{}", fmt::join(plan.engines, ",")),
                                   "--runs",
                                   std::to_string(plan.blocks),
                                   "--warm-ups",
                                   std::to_string(plan.warm_ups),
                                   "--instances",
                                   limits_text(plan),
                                   "--seed",
                                   std::to_string(plan.seed)};
  // By the lab's own flag: a kernel that is a file has to be taken there.
  if (!plan.kernel.empty()) command.insert(command.begin() + 3, {"--kernel", plan.kernel});
  return command;
}

}  // namespace

Result measure_here(const Plan& plan, const Progress& progress) {
  const base::TemporaryDirectory scratch("/tmp", "twinbox-compare-");
  return Runner(plan, sandbox::program_path("twinbox"), scratch.path(), progress).run();
}

Result measure_in_lab(const Plan& plan, const Progress& progress) {
  check(plan);
  const base::TemporaryDirectory back("/tmp", "twinbox-compare-");
  progress("this host has no hardware virtualization: measuring in the deterministic lab");
  const auto facts = collect_facts("/");
  Instance lab(lab_command(plan, back.path()), Instance::Input::none);
  const auto end = lab.finish(std::chrono::hours(6), [&](std::string_view line) {
    progress(fmt::format("lab: {}", line));
  });
  if (end.status != 0) {
    throw base::Error(
        base::ErrorKind::system,
        fmt::format("the comparison in the lab ended with status {}: {}", end.status, lab.errors()),
        "see whether the lab works: twinbox lab exec -- true");
  }
  const auto report = back.path() / "report.json";
  auto result = result_from_json(base::read_file(report), report.string());
  auto& host = result.hosts.at(0);
  host.name = "lab";
  host.kind = HostKind::deterministic_lab;
  for (auto& engine : result.engines) engine.host = host.name;
  result.hosts.push_back({"this host", HostKind::native, facts});
  return result;
}

ReportPaths write_reports(const Result& result, const std::filesystem::path& directory) {
  base::make_directories(directory);
  ReportPaths paths{directory / "report.json", directory / "index.html"};
  base::write_file_atomic(paths.json, to_json(result));
  base::write_file_atomic(paths.page, render_html(result));
  return paths;
}

}  // namespace twinbox::compare
