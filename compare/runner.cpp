#include "compare/runner.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ratio>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/environment.hpp"
#include "compare/probes.hpp"
#include "compare/procfs.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

// Why a command failed, as it says on its standard error: the last line before any hint.
std::string reason_in(const std::string& errors) {
  const auto hint = ("\n" + errors).rfind("\nhint:");
  const auto said = errors.substr(0, hint == std::string::npos ? errors.size() : hint);
  const auto end = said.find_last_not_of('\n');
  if (end == std::string::npos) return "it said nothing";
  const auto newline = said.rfind('\n', end);
  const auto start = newline == std::string::npos ? 0 : newline + 1;
  return said.substr(start, end + 1 - start);
}

// The kernel goes on undoing a box (its network, its control groups) when its command is gone: that
// is not the next one's time. Starts on a grid meet the timer's ticks alike.
void wait_for_quiet() {
  using namespace std::chrono_literals;
  using Grid = std::chrono::duration<std::int64_t, std::deci>;
  const auto earliest = std::chrono::steady_clock::now() + 50ms;
  std::this_thread::sleep_until(std::chrono::ceil<Grid>(earliest));
}

std::map<Mark, std::uint64_t> relative_marks(const sandbox::Marks& engine,
                                             const Instance::Stamps& stamps) {
  std::map<Mark, std::uint64_t> marks{{Mark::request, 0},
                                      {Mark::first_output, stamps.first_output - stamps.request},
                                      {Mark::ready, stamps.ready - stamps.request},
                                      {Mark::gone, stamps.gone - stamps.request}};
  for (const auto mark : {Mark::entered, Mark::created, Mark::booted, Mark::executed}) {
    const auto at = engine.at(mark);
    if (at && *at >= stamps.request) marks[mark] = *at - stamps.request;
  }
  return marks;
}

// The idle workload prints /proc/cmdline last of all before it is ready.
std::string line_before_ready(const std::string& output) {
  const auto ready = output.find("\nready\n");
  if (ready == std::string::npos || ready == 0) return {};
  const auto start = output.rfind('\n', ready - 1);
  const auto first = start == std::string::npos ? 0 : start + 1;
  return output.substr(first, ready - first);
}

}  // namespace

Runner::Runner(Plan plan, std::filesystem::path program, std::filesystem::path scratch,
               Progress progress)
    : plan_(std::move(plan)),
      program_(std::move(program)),
      scratch_(std::move(scratch)),
      progress_(std::move(progress)) {}

Result Runner::run() {
  check(plan_);
  result_ = {};
  result_.version = TWINBOX_VERSION;
  result_.plan = plan_;
  result_.image_digest = image_digest(plan_.image);
  // Before the measurement, so that the load is the load it began under.
  result_.hosts = {{"this host", HostKind::native, collect_facts("/")}};
  describe_engines();
  measure_starts();
  measure_density();
  return std::move(result_);
}

void Runner::describe_engines() {
  for (const auto& name : plan_.engines) {
    auto engine = describe_engine(name);
    engine.host = result_.hosts.front().name;
    engine.image_digest = result_.image_digest;
    engine.command = command(name, plan_.start, {}, Instance::Input::none);
    result_.engines.push_back(std::move(engine));
  }
  result_.workloads = {{"start-up", "start-up", plan_.image, result_.image_digest, plan_.start.args,
                        "output line 'ready'"}};
}

void Runner::measure_starts() {
  const auto steps = schedule(plan_);
  for (const auto& step : steps) {
    if (is_left_out(step.engine)) continue;
    if (step.position == 0) {
      progress_(fmt::format("start-up: block {} of {}{}", step.block + 1,
                            plan_.warm_ups + plan_.blocks, step.warm_up ? " (warm-up)" : ""));
    }
    try {
      measure_start(step);
    } catch (const base::Error& error) {
      leave_out(step.engine, "start-up", error.message());
    }
  }
}

void Runner::measure_start(const Step& step) {
  const auto marks_file = scratch_ / "marks.json";
  std::filesystem::remove(marks_file);
  wait_for_quiet();
  Instance instance(command(step.engine, plan_.start, marks_file, Instance::Input::none),
                    Instance::Input::none);
  const std::chrono::seconds timeout(plan_.timeout_s);
  const bool ready = instance.wait_ready(timeout);
  const auto end = instance.finish(timeout);
  if (!ready || end.status != 0) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("status {}: {}", end.status, reason_in(instance.errors())));
  }
  const auto engine_marks =
      std::filesystem::exists(marks_file)
          ? sandbox::Marks::from_json(base::read_file(marks_file), marks_file.string())
          : sandbox::Marks();
  StartSample sample;
  sample.engine = step.engine;
  sample.workload = result_.workloads.front().name;
  sample.block = step.block;
  sample.position = step.position;
  sample.warm_up = step.warm_up;
  sample.marks = relative_marks(engine_marks, instance.stamps());
  sample.user_ns = end.user_ns;
  sample.system_ns = end.system_ns;
  result_.starts.push_back(std::move(sample));
}

void Runner::measure_density() {
  for (const auto& engine : density_order(plan_)) {
    if (is_left_out(engine)) continue;
    try {
      result_.density.push_back(grow(engine));
    } catch (const base::Error& error) {
      leave_out(engine, "density", error.message());
    }
  }
}

DensitySeries Runner::grow(const std::string& engine) {
  DensitySeries series;
  series.engine = engine;
  std::vector<Instance> running;
  running.reserve(static_cast<std::size_t>(plan_.density.limit_of(engine)));
  add_point(series, running);
  while (grow_by_one(series, running)) {
    add_point(series, running);
    if (running.size() == 1) measure_instances(engine, running);
  }
  if (running.size() > 1) measure_instances(engine, running);
  for (auto& instance : running) instance.finish(std::chrono::seconds(plan_.timeout_s));
  return series;
}

bool Runner::grow_by_one(DensitySeries& series, std::vector<Instance>& running) {
  const auto begin = series.points.front().available_bytes;
  const auto now = series.points.back().available_bytes;
  const auto used = begin > now ? begin - now : 0;
  const int limit = plan_.density.limit_of(series.engine);
  if (static_cast<int>(running.size()) >= limit) {
    series.constraint = "instance budget";
    return false;
  }
  if (static_cast<double>(used) > plan_.density.memory_share * static_cast<double>(begin)) {
    series.constraint = "memory budget";
    return false;
  }
  progress_(fmt::format("density: {} {} of {}", series.engine, running.size() + 1, limit));
  Instance next(command(series.engine, plan_.idle, {}, Instance::Input::held_open),
                Instance::Input::held_open);
  if (!next.wait_ready(std::chrono::seconds(plan_.timeout_s))) {
    series.constraint = "instance failed";
    series.detail = reason_in(next.errors());
    series.stopped_by_budget = false;
    if (running.empty()) throw base::Error(base::ErrorKind::system, series.detail);
    return false;
  }
  running.push_back(std::move(next));
  return true;
}

void Runner::add_point(DensitySeries& series, const std::vector<Instance>& running) {
  // Starting leaves pages behind that are given back a moment later.
  std::this_thread::sleep_for(std::chrono::milliseconds(plan_.density.settle_ms));
  DensityPoint point{static_cast<int>(running.size()), available_memory(), {}};
  if (!running.empty()) {
    const auto& stamps = running.back().stamps();
    point.ready_ns = stamps.ready - stamps.request;
  }
  series.points.push_back(point);
}

void Runner::measure_instances(const std::string& engine, const std::vector<Instance>& running) {
  for (std::size_t i = 0; i < running.size(); ++i) {
    auto memory = measure_memory(running[i].pid());
    memory.engine = engine;
    memory.instance = static_cast<int>(i) + 1;
    memory.running = static_cast<int>(running.size());
    memory.workload_view = parse_meminfo(running[i].output());
    // Of the other engines it would be the host's own, which is nobody's business.
    if (engine == "vm") memory.kernel_command_line = line_before_ready(running[i].output());
    result_.memory.push_back(std::move(memory));
  }
}

void Runner::leave_out(const std::string& engine, const std::string& stage,
                       const std::string& why) {
  progress_(fmt::format("{} is left out: {}", engine, why));
  result_.failures.push_back({engine, stage, why});
}

bool Runner::is_left_out(const std::string& engine) const {
  return std::any_of(result_.failures.begin(), result_.failures.end(),
                     [&](const Failure& failure) { return failure.engine == engine; });
}

std::vector<std::string> Runner::command(const std::string& engine, const Workload& workload,
                                         const std::filesystem::path& marks,
                                         Instance::Input input) const {
  std::vector<std::string> arguments{program_.string(), "run", "--as", engine};
  // A plain process has no limits; it is the baseline that shows what they cost.
  if (engine != "process") {
    arguments.insert(arguments.end(),
                     {"--memory", plan_.memory, "--cpus", std::to_string(plan_.cpus)});
  }
  if (engine == "vm") arguments.emplace_back("--cold");  // a boot is what is compared
  if (!plan_.kernel.empty() && engine == "vm") {
    arguments.insert(arguments.end(), {"--kernel", plan_.kernel});
  }
  // A box of a run that is interrupted must not go on and disturb the next one.
  arguments.insert(arguments.end(), {"--rm", "--die-with-parent"});
  if (input == Instance::Input::held_open) arguments.push_back("--interactive");
  if (!marks.empty()) arguments.insert(arguments.end(), {"--marks", marks.string()});
  arguments.push_back(plan_.image);
  arguments.insert(arguments.end(), workload.args.begin(), workload.args.end());
  return arguments;
}

}  // namespace twinbox::compare
