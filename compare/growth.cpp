#include "compare/growth.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "compare/interruption.hpp"
#include "compare/probes.hpp"
#include "compare/procfs.hpp"
#include "compare/statistics.hpp"

namespace twinbox::compare {
namespace {

// The idle workload prints /proc/cmdline last of all before it is ready.
std::string line_before_ready(const std::string& output) {
  const auto ready = output.find("\nready\n");
  if (ready == std::string::npos || ready == 0) return {};
  const auto start = output.rfind('\n', ready - 1);
  const auto first = start == std::string::npos ? 0 : start + 1;
  return output.substr(first, ready - first);
}

}  // namespace

Workload workload_in_state(const Plan& plan, const std::string& engine, const std::string& state) {
  if (state == "idle") return plan.idle;
  const auto settings = plan.settings_of(engine);
  const auto memory =
      base::parse_size(settings.memory.empty() ? plan.memory : settings.memory, "memory");
  constexpr const char* look = "cat /proc/meminfo /proc/cmdline; ";
  auto workload = plan.idle;
  if (state == "touched") {
    // Held by a dd that has read so much in one piece, and waits for somebody to take more than the
    // first byte of it: cat keeps the pipe (4) open, and reads the instance's own input (3).
    workload.args = {"sh", "-c",
                     fmt::format("{}exec 3<&0; dd if=/dev/zero bs={} count=1 2>/dev/null | "
                                 "{{ exec 4<&0; head -c 1 >/dev/null; echo ready; cat <&3; }}",
                                 look, memory / 4)};
  } else {
    workload.args = {"sh", "-c",
                     fmt::format("{}(while :; do i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; "
                                 "sleep 0.1; done) & echo ready; cat; kill $!",
                                 look)};
  }
  return workload;
}

std::string constraint_named_in(const std::string& message) {
  struct Sign {
    const char* words;
    const char* constraint;
  };
  constexpr std::array signs{
      Sign{"annot allocate memory", "out of memory"}, Sign{"ut of memory", "out of memory"},
      Sign{"No space left", "out of memory"}, Sign{"esource temporarily unavailable", "fork"},
      Sign{"oo many open files", "descriptors"}};
  const auto found = std::ranges::find_if(
      signs, [&](const Sign& sign) { return message.find(sign.words) != std::string::npos; });
  return found == signs.end() ? "instance failed" : found->constraint;
}

Grower::Grower(const Plan& plan, std::string engine, std::string state, Start start, Say say)
    : plan_(plan), engine_(std::move(engine)), start_(std::move(start)), say_(std::move(say)) {
  series_.engine = engine_;
  series_.state = std::move(state);
  running_.reserve(static_cast<std::size_t>(plan.most_instances(engine_)));
}

Result Grower::grow() {
  wait_until_steady();
  add_point();
  while (grow_by_one() && add_point()) {
    if (running_.size() == 1) measure_instances();
  }
  if (running_.size() > 1) measure_instances();
  const auto dead = running_.finish(std::chrono::seconds(plan_.timeout_s));
  if (dead && series_.stopped_by_budget) end_with(dead->constraint(), dead->told());
  part_.density.push_back(std::move(series_));
  return std::move(part_);
}

bool Grower::grow_by_one() {
  if (!is_within_budget() || !is_within_limits()) return false;
  say_(static_cast<int>(running_.size()) + 1, plan_.most_instances(engine_));
  const auto hindrance = start_one();
  if (!hindrance) return true;
  if (running_.empty()) throw base::Error(base::ErrorKind::system, hindrance->detail);
  return end_with(hindrance->constraint, hindrance->detail);
}

std::optional<Grower::Hindrance> Grower::start_one() {
  using Readiness = Instance::Readiness;
  try {
    auto next = start_();
    auto& instance = next.instance();
    const auto readiness = instance.await_ready(std::chrono::seconds(plan_.timeout_s));
    if (readiness == Readiness::late) {
      return Hindrance{"readiness", fmt::format("it was not ready after {} s", plan_.timeout_s)};
    }
    if (readiness == Readiness::ended) {
      const auto why = reason_in(instance.errors());
      if (instance.end().status == 128 + SIGKILL) {
        return Hindrance{"out of memory", fmt::format("it was killed: {}", why)};
      }
      return Hindrance{constraint_named_in(why), why};
    }
    const auto& stamps = instance.stamps();
    ready_ms_.push_back(static_cast<double>(stamps.ready - stamps.request) / 1e6);
    running_.add(std::move(next));
    return std::nullopt;
  } catch (const base::Error& error) {  // it could not even be spawned
    return Hindrance{constraint_named_in(error.message()), error.message()};
  }
}

// Those that ran already may have had to make room for the last one.
bool Grower::all_run() {
  const auto dead = running_.find_dead();
  if (!dead) return true;
  if (series_.points.size() == 1) throw base::Error(base::ErrorKind::system, dead->told());
  return end_with(dead->constraint(), dead->told());
}

bool Grower::is_within_budget() {
  const auto begin = series_.points.front().available_bytes;
  const auto now = series_.points.back().available_bytes;
  const auto used = begin > now ? begin - now : 0;
  series_.stopped_by_budget = true;
  if (static_cast<int>(running_.size()) >= plan_.most_instances(engine_)) {
    series_.constraint = "instance budget";
    return false;
  }
  if (static_cast<double>(used) > plan_.density.memory_share * static_cast<double>(begin)) {
    series_.constraint = "memory budget";
    return false;
  }
  return true;
}

// What tells that the host is full before a start fails.
bool Grower::is_within_limits() {
  if (const auto stall = memory_stall_percent(); stall && *stall > plan_.density.stall_percent) {
    return end_with("memory stall", fmt::format("tasks waited for memory {} % of the last ten "
                                                "seconds (PSI, some avg10)",
                                                *stall));
  }
  const auto p99 = quantile(ready_ms_, 0.99);
  if (plan_.density.ready_ms > 0 && p99 > plan_.density.ready_ms) {
    return end_with("readiness", fmt::format("the 99th percentile of the times to ready is {:.0f} "
                                             "ms, over {}",
                                             p99, plan_.density.ready_ms));
  }
  return true;
}

bool Grower::end_with(std::string constraint, std::string detail) {
  series_.constraint = std::move(constraint);
  series_.detail = std::move(detail);
  series_.stopped_by_budget = false;
  return false;
}

// What ran before goes on being given back to the host: that must not hide what the first instances
// take. A host that is never still is not waited for.
void Grower::wait_until_steady() const {
  constexpr std::uint64_t still = 128 * base::kibibyte;
  constexpr int enough = 3;
  constexpr int most = 10;
  auto last = available_memory();
  for (int steady = 0, looks = 0; steady < enough && looks < most; ++looks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(plan_.density.settle_ms));
    stop_if_interrupted();
    const auto now = available_memory();
    steady = now < last + still && last < now + still ? steady + 1 : 0;
    last = now;
  }
}

bool Grower::add_point() {
  // Starting leaves pages behind that are given back a moment later.
  std::this_thread::sleep_for(std::chrono::milliseconds(plan_.density.settle_ms));
  stop_if_interrupted();
  DensityPoint point{static_cast<int>(running_.size()), available_memory(), {}};
  if (!running_.empty()) {
    const auto& stamps = running_.back().instance().stamps();
    point.ready_ns = stamps.ready - stamps.request;
  }
  // Memory of one that has died is not in use any more.
  if (!all_run()) return false;
  series_.points.push_back(point);
  return true;
}

void Grower::measure_instances() {
  int running = 0;
  for (std::size_t i = 0; i < running_.size(); ++i) running += running_[i].instance().is_running();
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (!running_[i].instance().is_running()) continue;
    auto memory = measure_memory(running_[i].processes());
    memory.engine = engine_;
    memory.state = series_.state;
    memory.instance = static_cast<int>(i) + 1;
    memory.running = running;
    const auto& output = running_[i].instance().output();
    memory.workload_view = parse_meminfo(output);
    // Of the other engines it would be the host's own, which is nobody's business.
    if (has_guest(memory)) memory.kernel_command_line = line_before_ready(output);
    part_.memory.push_back(std::move(memory));
  }
}

}  // namespace twinbox::compare
