// A comparison that has everything a report can have.
#include <algorithm>
#include <cmath>

#include "compare/image_import.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

constexpr std::uint64_t mib = 1U << 20U;
constexpr int blocks = 30;

// Some percent up and down, different for each key, the same everywhere.
double wobble(double key) { return 1 + 0.03 * std::sin(key * 12.9898) * std::cos(key * 4.1414); }

struct Kind {
  Engine engine;
  double start_ms;
  double memory_mib;
  double speed;
};

Engine engine_of(const std::string& name, const std::string& title, BoxKind kind,
                 const std::string& host, const std::string& repeats = "") {
  auto engine = describe_engine(name);
  engine.title = title;
  engine.kind = kind;
  engine.host = host;
  engine.repeats = repeats;
  engine.command = {name, "run", "{image}"};
  engine.settings = {{"cpus", "1"}, {"memory", "128m"}};
  return engine;
}

std::vector<Kind> kinds() {
  auto docker = engine_of("docker", "docker", BoxKind::container, "this host");
  for (const auto mark : {Mark::entered, Mark::created, Mark::booted, Mark::executed}) {
    docker.missing_marks[mark] = "docker tells no such moment";
  }
  return {{engine_of("process", "plain process", BoxKind::process, "this host"), 1.9, 1.2, 1},
          {engine_of("container", "container", BoxKind::container, "this host"), 6.5, 2.1, 0.995},
          {engine_of("container-again", "container, again", BoxKind::container, "this host",
                     "container"),
           6.52, 2.1, 0.994},
          {docker, 205, 9.5, 0.985},
          {engine_of("vm", "microVM", BoxKind::machine, "this host"), 121, 38, 0.93},
          {engine_of("container@lab", "container in the lab", BoxKind::container, "lab"), 7.3, 2.2,
           0.99},
          {engine_of("vm@lab", "microVM in the lab", BoxKind::machine, "lab"), 96, 36, 0.9}};
}

void add_starts(Result& result, const Kind& kind, int position) {
  for (int block = 0; block < blocks; ++block) {
    StartSample sample;
    sample.engine = kind.engine.name;
    sample.block = block;
    sample.position = position;
    const double total = kind.start_ms * 1e6 * wobble(block + 7 * position);
    const bool vm = kind.engine.kind == BoxKind::machine;
    const std::map<Mark, double> shares{{Mark::request, 0},
                                        {Mark::entered, 0.02},
                                        {Mark::created, vm ? 0.08 : 0.3},
                                        {Mark::booted, vm ? 0.87 : 0.7},
                                        {Mark::executed, 0.94},
                                        {Mark::first_output, 0.99},
                                        {Mark::ready, 1},
                                        {Mark::gone, 1.25}};
    for (const auto& [mark, share] : shares) {
      if (kind.engine.missing_marks.contains(mark)) continue;
      sample.marks[mark] = static_cast<std::uint64_t>(total * share);
      // Every engine's total has a part of it, but docker's, whose daemon works for it.
      if (mark != Mark::request && kind.engine.missing_marks.empty()) {
        sample.cpu_ns[mark] = static_cast<std::uint64_t>(0.55 * total * share);
      }
    }
    sample.user_ns = static_cast<std::uint64_t>(total * 0.4);
    sample.system_ns = static_cast<std::uint64_t>(total * 0.3);
    result.starts.push_back(sample);
  }
}

void add_metrics(Result& result, const Kind& kind, int position) {
  for (int block = 0; block < blocks; ++block) {
    const double noise = wobble(block + 31 * position);
    const auto add = [&](const char* metric, const char* workload, std::optional<double> at,
                         double value) {
      result.measurements.push_back(
          {metric, kind.engine.name, workload, block, position, false, at, value * noise});
    };
    add("requests", "redis", {}, 91'000 * kind.speed * kind.speed);
    add("random read", "fio", {}, 182'000 * std::pow(kind.speed, 3));
    add("events", "sysbench", {}, 1480 * std::sqrt(kind.speed));
    add("syscalls", "syscalls", {}, 80 / kind.speed);
    // docker tells no moment between the beginning and the end of its load.
    if (kind.engine.repeats.empty()) {
      const bool docker = kind.engine.name == "docker";
      const bool vm = kind.engine.kind == BoxKind::machine;
      add("image import", "busybox", {}, docker ? 310e6 : 82e6);
      if (!docker) add("image conversion", "busybox", {}, vm ? 31e6 : 14e6);
    }
    for (const int running : {0, 4, 16}) {
      add("start-up beside others", "start-up", running,
          kind.start_ms * 1e6 * (1 + 0.01 * running));
    }
    for (const int parallel : {1, 2, 4}) {
      add("launch rate", "start-up", parallel, 1e3 / kind.start_ms * std::sqrt(parallel));
    }
  }
}

void add_memory(Result& result, const Kind& kind) {
  for (const int running : {1, 8}) {
    for (int instance = 1; instance <= running; ++instance) {
      InstanceMemory memory;
      memory.engine = kind.engine.name;
      memory.instance = instance;
      memory.running = running;
      memory.processes = 2;
      const auto part = [&](double size, double address_space) {
        const auto bytes =
            static_cast<std::uint64_t>(size * static_cast<double>(mib) / (running > 1 ? 1.3 : 1));
        return Footprint{static_cast<std::uint64_t>(address_space) * mib, bytes + mib, bytes,
                         bytes * 3 / 4};
      };
      memory.components["supervisor"] = part(1.4, 9);
      if (kind.engine.kind == BoxKind::machine) {
        memory.components["monitor"] = part(2.3, 14);
        memory.components["guest RAM"] = part(kind.memory_mib, 128);
      } else {
        memory.components["workload"] = part(kind.memory_mib / 4, 4);
      }
      memory.workload_view = {{"MemTotal", 128 * mib}, {"MemAvailable", 90 * mib}};
      result.memory.push_back(std::move(memory));
    }
  }
}

void add_density(Result& result, const Kind& kind, const std::string& state, double factor) {
  DensitySeries series;
  series.engine = kind.engine.name;
  series.state = state;
  const bool vm = kind.engine.kind == BoxKind::machine;
  const int most = vm ? 24 : 60;
  const auto all = 16'000 * mib;
  series.points.push_back({0, all, {}});
  for (int n = 1; n <= most; ++n) {
    const double lost =
        (kind.memory_mib * factor * n + 9) * static_cast<double>(mib) + wobble(n * 3.0) * 2e6;
    const double ready = kind.start_ms * 1e6 * (1 + 0.004 * n) * wobble(n);
    series.points.push_back(
        {n, all - static_cast<std::uint64_t>(lost), static_cast<std::uint64_t>(ready)});
  }
  series.constraint = vm && state == "touched" ? "memory stall" : "instance budget";
  series.stopped_by_budget = series.constraint == "instance budget";
  series.detail = series.stopped_by_budget ? "" : "some 10.2 % over 10 s";
  result.density.push_back(std::move(series));
}

}  // namespace

Result rich_result() {
  auto result = sample_result();
  result.measured_at = "2026-01-02T03:04:05Z";
  result.plan.blocks = blocks;
  result.starts.clear();
  result.memory.clear();
  result.density.clear();
  result.engines.clear();
  result.hosts.push_back({"lab", HostKind::deterministic_lab, {{"processor", "AMD EPYC"}}});
  result.workloads = {{"start-up", "start-up", "busybox", "sha256:1", {"echo", "ready"}, "line"},
                      {"redis", "redis", "redis", "sha256:2", {"redis-server"}, "line"},
                      {"fio", "fio", "fio", "sha256:3", {"fio"}, "exit"},
                      {"sysbench", "sysbench", "sysbench", "sha256:4", {"sysbench"}, "exit"},
                      {"syscalls", "syscalls", "twinbox-work", "sha256:5", {"syscalls"}, "exit"}};
  result.metrics = {
      {"requests", "Redis SET", "1/s", Better::higher, "Requests of redis-benchmark a second.", ""},
      {"random read", "Random read, 4 KiB", "1/s", Better::higher, "Reads that fio does a second.",
       ""},
      {"events", "CPU, primes", "1/s", Better::higher, "Events of sysbench a second.", ""},
      {"syscalls", "syscalls", "ns/call", Better::lower, "One getppid.", ""},
      {"launch rate", "launch rate", "1/s", Better::higher, "Boxes that got ready a second.",
       "under way at the same time"},
      {"start-up beside others", "start-up beside others", "ns", Better::lower,
       "From the request until ready, beside idle instances.", "already running"}};
  for (auto& metric : image_metrics()) result.metrics.push_back(std::move(metric));
  int position = 0;
  for (const auto& kind : kinds()) {
    result.engines.push_back(kind.engine);
    add_starts(result, kind, position);
    if (kind.engine.host != "lab") add_metrics(result, kind, position);
    if (kind.engine.repeats.empty()) {
      add_memory(result, kind);
      add_density(result, kind, "idle", 1);
      if (kind.engine.host != "lab") {
        add_density(result, kind, "touched", 1.7);
        add_density(result, kind, "active", 1.2);
      }
    }
    ++position;
  }
  for (const auto* const engine : {"vm", "vm@lab"}) {
    result.exits.push_back({engine, "start-up", "boot", "mmio", 410, 3'100'000});
    result.exits.push_back({engine, "start-up", "boot", "io", 220, 1'400'000});
    result.exits.push_back({engine, "start-up", "boot", "cpuid", 160, 200'000});
    result.exits.push_back({engine, "start-up", "boot", "hlt", 12, 2'500'000});
    result.exits.push_back({engine, "start-up", "run", "hlt", 70, 900'000});
  }
  for (auto& engine : result.engines) {
    if (engine.name != "vm") continue;
    engine.settings.push_back({"console", "serial"});
  }
  result.failures = {{"podman", "start-up", "the program podman is not installed"},
                     {"docker", "sysbench", "status 125: no space left on device"}};
  result.audit = {{"same kernel", AuditState::fail, "bzImage against vmlinux"}};
  return result;
}

}  // namespace twinbox::compare
