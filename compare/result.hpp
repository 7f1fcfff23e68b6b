// The one model of a finished comparison: raw samples, plan and environment. Every report is made
// from it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compare/plan.hpp"
#include "sandbox/marks.hpp"

namespace twinbox::compare {

// Of report.json. Readers accept this version and older ones.
inline constexpr int schema_version = 1;

// One measured command. Times in nanoseconds.
struct StartSample {
  std::string engine;
  int block = 0;
  int position = 0;
  bool warm_up = false;
  // By mark, counted from the request (t0), which is 0. A mark that the engine did not give is
  // absent.
  std::map<sandbox::Mark, std::uint64_t> marks;
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
  int instance = 0;  // 1 for the first that was started
  int running = 0;   // how many of the engine ran when it was measured
  // By component: "supervisor", "workload", "monitor", "guest RAM".
  std::map<std::string, Footprint> components;
  int processes = 0;
  std::map<std::string, std::uint64_t> workload_view;  // /proc/meminfo as the workload sees it
  std::string kernel_command_line;                     // of the guest; empty for other engines

  Footprint total() const;
};

struct DensityPoint {
  int instances = 0;
  std::uint64_t available_bytes = 0;  // the host's MemAvailable
};

struct DensitySeries {
  std::string engine;
  std::vector<DensityPoint> points;  // from 0 instances on
  std::string constraint;            // what ended the growth: "instance budget", ...
};

// An engine that could not be measured, and why.
struct Failure {
  std::string engine;
  std::string stage;  // "start-up" or "density"
  std::string message;
};

struct Fact {
  std::string name;
  std::string value;
};

enum class HostKind { native, deterministic_lab };
std::string_view to_string(HostKind kind);

struct Environment {
  HostKind kind = HostKind::native;
  std::vector<Fact> facts;
  std::vector<Fact> lab_host;  // of the machine that emulated the host; empty when native
};

struct Result {
  std::string version;  // of twinbox
  std::string command;  // that measures the same again
  Plan plan;
  std::string image_digest;  // empty when unknown
  Environment environment;
  std::vector<StartSample> starts;
  std::vector<InstanceMemory> memory;
  std::vector<DensitySeries> density;
  std::vector<Failure> failures;
};

// report.json: the model and, for readers without our code, the figures computed from it.
std::string to_json(const Result& result);
// Reads the model back; the computed figures are ignored. Throws base::Error with the path of the
// field that is wrong. `source` names the text.
Result result_from_json(std::string_view text, std::string_view source);

}  // namespace twinbox::compare
