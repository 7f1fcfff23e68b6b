#include "cli/compare_flags.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "compare/plan_json.hpp"
#include "compare/workloads.hpp"
#include "guest-images/guest_kernel.hpp"

namespace twinbox::cli {
namespace {

constexpr const char* help = "see: twinbox help compare";

// `text` as a number from 0 to `most`, or what it was when no flag was given.
template <typename T>
void read_number(const std::string& text, const std::string& flag, T most, T& target) {
  if (text.empty()) return;
  const auto value = base::parse_number<T>(text);
  if (!value || *value > most || text.front() == '-') {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--{}: '{}' is not a number from 0 to {}", flag, text, most),
                      help);
  }
  target = *value;
}

// "N" for every engine, or "ENGINE=N,...".
void read_limits(const std::string& text, compare::Plan& plan) {
  for (const auto& part : base::split(text, ',')) {
    const auto equals = part.find('=');
    if (equals != std::string::npos) {
      read_number(part.substr(equals + 1), "instances", 100'000,
                  plan.density.limits[part.substr(0, equals)]);
      continue;
    }
    for (const auto& engine : plan.engines) {
      read_number(part, "instances", 100'000, plan.density.limits[engine]);
    }
  }
}

// "N,N,...", or "none".
void read_numbers(const std::string& text, const std::string& flag, std::vector<int>& target) {
  if (text.empty()) return;
  target.clear();
  if (text == "none") return;
  for (const auto& part : base::split(text, ',')) {
    read_number(part, flag, 10'000, target.emplace_back());
  }
}

void read_workloads(const std::string& text, compare::Plan& plan) {
  if (text.empty()) return;
  plan.workloads.clear();
  for (const auto& name : base::split(text, ',')) {
    const auto found = compare::find_workload(name);
    if (!found) {
      throw base::Error(base::ErrorKind::usage, fmt::format("--workloads: there is no '{}'", name),
                        fmt::format("workloads: {}; others can be written into a plan",
                                    fmt::join(compare::workload_names(), ", ")));
    }
    plan.workloads.push_back(*found);
  }
}

void read_page_cache(const std::string& text, compare::Plan& plan) {
  if (text.empty()) return;
  if (text != "warm" && text != "cold") {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--page-cache: '{}' is neither warm nor cold", text), help);
  }
  plan.page_cache = text == "cold" ? compare::PageCache::cold : compare::PageCache::warm;
}

}  // namespace

void CompareFlags::declare(Options& options) {
  options.flag("quick", "a first look: 7 to 30 runs of each, few instances", quick);
  options.flag(
      "publish",
      "figures to quote: 100 runs of each, or from 30 on until every interval is under 1 %",
      publish);
  options.value("engines", "A,B",
                "of process, container, vm (boots, as vm-cold), vm-warm, vm-tuned, vm-stock, qemu, "
                "docker, podman, runc, crun, bubblewrap (process,container,vm)",
                engines);
  options.value("workloads", "A,B", "to measure beside start-up (none)", workloads);
  options.value("kernel", "stock|tuned|FILE", "the machines' kernel (tuned if built)", kernel);
  options.value("runs", "N", "measured runs of each engine (30)", runs);
  options.value("page-cache", "warm|cold",
                "cold: the host's is dropped before starts; needs root, and not in the lab (warm)",
                page_cache);
  options.value("warm-ups", "N", "runs of each that are discarded first (2)", warm_ups);
  options.value("instances", "N|ENGINE=N,...",
                "instances at the same time, at most (64, of machines 16)", instances);
  options.value("parallel", "N,...|none", "starts under way at once for launch rates (1,2,4)",
                parallel);
  options.value("beside", "N,...|none", "instances that run already when one more starts (0,8)",
                beside);
  options.value("image-imports", "N", "measured imports of the image into each engine's store (5)",
                image_imports);
  options.value("seed", "N", "the seed of the random order and of the intervals (1)", seed);
}

compare::Plan CompareFlags::plan(const std::string& file) const {
  if (static_cast<int>(quick) + static_cast<int>(publish) + static_cast<int>(!file.empty()) > 1) {
    throw base::Error(base::ErrorKind::usage, "--quick, --publish and a plan exclude each other",
                      help);
  }
  auto plan = quick          ? compare::quick_plan()
              : publish      ? compare::publish_plan()
              : file.empty() ? compare::Plan()
                             : compare::load_plan(file);
  if (!engines.empty()) plan.engines = base::split(engines, ',');
  read_workloads(workloads, plan);
  if (!runs.empty()) {
    read_number(runs, "runs", 100'000, plan.blocks);
    plan.least_blocks = plan.blocks;
    plan.enough = 0;
  }
  read_page_cache(page_cache, plan);
  read_number(warm_ups, "warm-ups", 1000, plan.warm_ups);
  read_limits(instances, plan);
  read_numbers(parallel, "parallel", plan.load.parallel);
  read_numbers(beside, "beside", plan.load.beside);
  read_number(image_imports, "image-imports", 1000, plan.image_imports);
  if (!kernel.empty()) plan.kernel = kernel;
  plan.kernel = guest_images::checked_kernel_choice(plan.kernel);
  read_number(seed, "seed", std::uint64_t{1} << 53U, plan.seed);
  compare::add_repetition(plan);
  compare::check(plan);
  return plan;
}

}  // namespace twinbox::cli
