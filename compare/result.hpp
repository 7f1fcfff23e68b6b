// The one model of a finished comparison: raw samples, plan and environment. Every report is made
// from it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/plan.hpp"
#include "sandbox/marks.hpp"

namespace twinbox::compare {

// Of report.json. Readers accept this version and older ones.
inline constexpr int schema_version = 2;

struct Fact {
  std::string name;
  std::string value;
};

enum class HostKind { native, deterministic_lab };
std::string_view to_string(HostKind kind);

// Where something was measured. Figures of different hosts have nothing to do with one another.
struct Host {
  std::string name;  // "this host"
  HostKind kind = HostKind::native;
  std::vector<Fact> facts;
};

enum class BoxKind { process, container, machine };
std::string_view to_string(BoxKind kind);

// One of the columns of the comparison: a way to start a box, with its settings, on one host.
struct Engine {
  std::string name;   // unique in the report: "vm-tuned", "docker", "container@lab"
  std::string title;  // as people read it: "microVM, tuned kernel"
  BoxKind kind = BoxKind::process;
  std::string host;  // a Host's name
  // The engine that this one repeats with nothing changed: the A/A run that shows the noise.
  std::string repeats;
  std::string version;               // of its program, as that says it
  std::vector<std::string> command;  // a template; "{image}" and the like stand for themselves
  std::vector<Fact> settings;        // "cpus", "memory", "kernel", "kernel format", "console", ...
  std::string image_digest;
  std::map<sandbox::Mark, std::string> missing_marks;  // why the engine cannot give a mark
};

// What an engine of this name of twinbox's own is, for reports that do not say it.
Engine describe_engine(const std::string& name);

// What ran in the boxes.
struct MeasuredWorkload {
  std::string name;  // unique in the report: "start-up", "redis"
  std::string title;
  std::string image;
  std::string image_digest;
  std::vector<std::string> args;
  std::string ready;  // how readiness is told: "output line 'ready'", "HTTP answer"
};

std::string_view to_string(Better better);

// What a number is.
struct Metric {
  std::string name;   // unique in the report: "random read 4k"
  std::string title;  // for a heading
  std::string unit;   // "ns", "B", "1/s", "ops/s", "MiB/s"
  Better better = Better::lower;
  std::string definition;  // one sentence that a reviewer could attack
  std::string parameter;   // what `at` of its measurements counts: "already running"; may be empty
};

// One value of a metric. Those of one engine in the order of their runs.
struct Measurement {
  std::string metric;
  std::string engine;
  std::string workload;
  int block = 0;  // the run's index: samples of one block were taken one after another
  int position = 0;
  bool warm_up = false;
  std::optional<double> at;  // the parameter's value
  double value = 0;
};

// One measured command. Times in nanoseconds.
struct StartSample {
  std::string engine;
  std::string workload = "start-up";
  int block = 0;
  int position = 0;
  bool warm_up = false;
  // By mark, counted from the request (t0), which is 0. A mark that the engine did not give is
  // absent.
  std::map<sandbox::Mark, std::uint64_t> marks;
  // CPU time of everything that belongs to the box up to a mark, for engines that give it.
  std::map<sandbox::Mark, std::uint64_t> cpu_ns;
  std::uint64_t user_ns = 0;  // CPU time of the command and all it waited for
  std::uint64_t system_ns = 0;
};

// What a group of processes, or a part of one, holds in memory. Bytes.
struct Footprint {
  std::uint64_t virtual_size = 0;  // address space, whether or not there is memory behind it
  std::uint64_t rss = 0;           // resident, shared pages counted in full
  std::uint64_t pss = 0;           // resident, a page shared by n processes counted as 1/n
  std::uint64_t uss = 0;           // resident and nobody else's

  Footprint& operator+=(const Footprint& other);
};

// Memory of one running instance.
struct InstanceMemory {
  std::string engine;
  std::string state = "idle";  // or "touched", "active"
  int instance = 0;            // 1 for the first that was started
  int running = 0;             // how many of the engine ran when it was measured
  // By component: "supervisor", "workload", "monitor", "guest RAM".
  std::map<std::string, Footprint> components;
  std::map<std::string, std::uint64_t> cgroup_bytes;  // "anon", "file", "shmem", "kernel"
  int processes = 0;
  std::map<std::string, std::uint64_t> workload_view;  // /proc/meminfo as the workload sees it
  std::string kernel_command_line;                     // of the guest; empty for other engines

  Footprint total() const;
};

struct DensityPoint {
  int instances = 0;
  std::uint64_t available_bytes = 0;      // the host's MemAvailable
  std::optional<std::uint64_t> ready_ns;  // start-up of the last instance, with the others running
};

// One growth of the number of instances.
struct DensitySeries {
  std::string engine;
  std::string state = "idle";  // or "touched", "active"
  int repeat = 0;
  std::vector<DensityPoint> points;  // from 0 instances on
  // What ended the growth: "instance budget", "memory budget", "out of memory", "memory stall",
  // "fork", "descriptors", "readiness", "instance died", "instance failed".
  std::string constraint;
  std::string detail;             // of a constraint that failed, in the failing party's words
  bool stopped_by_budget = true;  // else a constraint of the host failed
};

// Exits of a machine to its monitor or to KVM.
struct ExitCount {
  std::string engine;
  std::string workload;
  std::string phase;   // "boot", "run", "stop"; the marks' phases where the engine tells them apart
  std::string reason;  // "io", "mmio", "hlt", "external interrupt"
  double count = 0;    // of one run; a mean over several
  std::uint64_t time_ns = 0;  // in the monitor, of all of them together
};

enum class AuditState { pass, warn, fail };
std::string_view to_string(AuditState state);

struct AuditRow {
  std::string check;  // "same image"
  AuditState state = AuditState::pass;
  std::string detail;  // what was found
};

// An engine that could not be measured, and why.
struct Failure {
  std::string engine;
  std::string stage;  // "start-up", "density" or a workload's name
  std::string message;
};

struct Result {
  std::string version;      // of twinbox
  std::string command;      // that measures the same again
  std::string measured_at;  // UTC, "2026-11-28T12:00:00Z"; empty in reports of version 1
  Plan plan;
  std::string image_digest;  // of the plan's image; empty when unknown
  std::vector<Host> hosts;
  std::vector<Engine> engines;  // in the order in which tables show them
  std::vector<MeasuredWorkload> workloads;
  std::vector<Metric> metrics;  // of the measurements; those of start-up marks are built in
  std::vector<StartSample> starts;
  std::vector<Measurement> measurements;
  std::vector<InstanceMemory> memory;
  std::vector<DensitySeries> density;
  std::vector<ExitCount> exits;
  std::vector<AuditRow> audit;  // what could be seen while measuring only; more is computed
  std::vector<Failure> failures;

  const Engine* find_engine(std::string_view name) const;
  // The host of an engine; the first one, or one without facts, when there is none of its name.
  const Host& host_of(std::string_view engine) const;
  // Whether figures of an emulated host are in it.
  bool has_lab() const;
};

// report.json: the model and, for readers without our code, the figures computed from it.
std::string to_json(const Result& result);
// Reads the model back; the computed figures are ignored. Throws base::Error with a JSON pointer to
// the field that is wrong: "report.json#/starts/3/marks_ns/ready: ...". `source` names the text.
Result result_from_json(std::string_view text, std::string_view source);

}  // namespace twinbox::compare
