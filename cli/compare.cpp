// twinbox compare: measures process, container and microVM against each other.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "compare/comparison.hpp"
#include "compare/report/terminal.hpp"
#include "guest-images/guest_kernel.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::cli {
namespace {

struct Flags {
  bool quick = false;
  bool here = false;
  bool lab = false;
  std::string out = "twinbox-report";
  std::string engines;
  std::string runs;
  std::string warm_ups;
  std::string instances;
  std::string seed;
  std::string kernel;
};

// `text` as a number from 0 to `most`, or what it was when no flag was given.
template <typename T>
void read_number(const std::string& text, const std::string& flag, T most, T& target) {
  if (text.empty()) return;
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || value > most ||
      text.front() == '-') {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--{}: '{}' is not a number from 0 to {}", flag, text, most),
                      "see: twinbox help compare");
  }
  target = value;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

// "N" for every engine, or "ENGINE=N,...".
void read_limits(const std::string& text, compare::Plan& plan) {
  for (const auto& part : split(text)) {
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

compare::Plan plan_of(const Flags& flags) {
  auto plan = flags.quick ? compare::quick_plan() : compare::Plan();
  if (!flags.engines.empty()) plan.engines = split(flags.engines);
  read_number(flags.runs, "runs", 100'000, plan.blocks);
  read_number(flags.warm_ups, "warm-ups", 1000, plan.warm_ups);
  read_limits(flags.instances, plan);
  plan.kernel = guest_images::checked_kernel_choice(flags.kernel);
  read_number(flags.seed, "seed", std::uint64_t{1} << 53U, plan.seed);
  compare::check(plan);
  return plan;
}

bool needs_lab(const compare::Plan& plan, const Flags& flags) {
  if (flags.here || flags.lab) return flags.lab;
  if (std::count(plan.engines.begin(), plan.engines.end(), "vm") == 0) return false;
  return !vmm::kvm::probe_host().runs_linux();
}

// One line that is written over on a terminal, one line each elsewhere.
void show_progress(std::string_view line) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  fmt::print(stderr, "{}{}{}", terminal ? "\r\033[K" : "", line, terminal ? "" : "\n");
  std::fflush(stderr);
}

void end_progress() {
  if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
}

}  // namespace

int compare(const Arguments& arguments) {
  Flags flags;
  Options options("compare [flags]",
                  "Measures start-up, memory and density of one workload as a plain process, as a "
                  "container and as a microVM, and writes report.json and index.html.");
  options.flag("quick", "a first look: 7 runs of each, few instances", flags.quick);
  options.flag("here", "measure on this host, also where it cannot run machines", flags.here);
  options.flag("lab", "measure in the deterministic lab, also where this host runs machines",
               flags.lab);
  options.value("out", "DIR", "where the reports go (twinbox-report)", flags.out);
  options.value("engines", "A,B", "of process, container, vm (all)", flags.engines);
  options.value("kernel", "stock|tuned|FILE", "the machines' kernel (tuned if built)",
                flags.kernel);
  options.value("runs", "N", "measured runs of each engine (30)", flags.runs);
  options.value("warm-ups", "N", "runs of each that are discarded first (2)", flags.warm_ups);
  options.value("instances", "N|ENGINE=N,...",
                "instances at the same time, at most (64, of machines 16)", flags.instances);
  options.value("seed", "N", "of the order and the intervals (1)", flags.seed);
  const auto rest = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (!rest.empty()) {
    throw base::Error(base::ErrorKind::usage, fmt::format("unexpected argument '{}'", rest.front()),
                      options.see_help());
  }
  if (flags.here && flags.lab) {
    throw base::Error(base::ErrorKind::usage, "--here and --lab exclude each other",
                      options.see_help());
  }
  const auto plan = plan_of(flags);
  auto result = needs_lab(plan, flags) ? compare::measure_in_lab(plan, show_progress)
                                       : compare::measure_here(plan, show_progress);
  end_progress();
  result.command = fmt::format("twinbox compare {}", fmt::join(arguments, " "));
  const auto paths = compare::write_reports(result, flags.out);
  fmt::print("{}\nReports:\n  {}\n  {}\n", compare::render_terminal(result), paths.page.string(),
             paths.json.string());
  return result.starts.empty() ? 1 : 0;
}

}  // namespace twinbox::cli
