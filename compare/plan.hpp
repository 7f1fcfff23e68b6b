// What a comparison measures, how often and in which order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace twinbox::compare {

enum class Better { lower, higher };

// What the host keeps of files in memory when something is started: what earlier runs have read, or
// nothing.
enum class PageCache { warm, cold };

// A command run in the image. It is ready when its output holds the line `ready`; one with a figure
// is done when it ends.
struct Workload {
  std::string name;
  std::vector<std::string> args;
  std::string image{};   // empty: the plan's
  std::string figure{};  // a regular expression over the output; its first group is the number
  std::string unit{};    // of the figure
  Better better = Better::lower;
  std::string memory{};  // empty: the plan's
};

// How an engine is used, where that is not the default.
struct EngineSettings {
  // The engine that runs it (see adapter.hpp); "command" runs the template.
  std::string engine;
  std::vector<std::string> command{};  // with {image}, {rootfs}, {args}, ...
  std::vector<std::string> prepare{};  // run once for each image, with {image} and {archive}
  std::vector<std::string> version{};  // prints what the template's engine is
  std::string start{};                 // of our machines: "cold" (empty) or "warm"
  std::string kernel{};                // of machines: "stock", "tuned" or a file; empty: the plan's
  // What makes a comparison unfair, and is said so; empty or 0: the plan's.
  std::string image{};
  std::string memory{};
  int cpus = 0;
  // The engine of the plan that this one repeats with nothing changed: the A/A run.
  std::string repeats{};
};

// Growth of the number of instances that run at the same time.
struct DensityPlan {
  // Instances at most, by the engine's name in the plan; else by the engine that runs it; else by
  // its kind, which is "process", "container" or "vm". Small ones need many before their slope
  // stands out of the host's own ups and downs.
  std::map<std::string, int> limits{{"process", 64}, {"container", 64}, {"vm", 16}};
  // Of the instances, the first that are left out of the fit: they pay for what later ones share,
  // and live on what the host has kept from earlier boxes.
  double discarded_share = 1.0 / 3;
  int settle_ms = 200;  // from the last instance being ready to the reading of the host's memory
  double memory_share = 0.5;  // of the host's available memory at the start, at most
  // What an instance is while it is counted: "idle", "touched" (it has written to a quarter of its
  // memory) or "active" (it works a tenth of the time).
  std::vector<std::string> states{"idle"};
  int repeats = 1;            // growths of each engine in each state
  int ready_ms = 60'000;      // limit of the 99th percentile of the times to ready; 0: none
  double stall_percent = 20;  // limit of the share of time that tasks wait for memory (PSI)
};

// Starts at the same time, and starts beside instances that run already.
struct LoadPlan {
  std::vector<int> parallel{1, 2, 4};  // how many starts are under way at once; empty: not measured
  int launches = 8;                    // of each engine at each parallelism
  // Instances that run already, of each engine those that its density may reach; empty: not
  // measured.
  std::vector<int> beside{0, 8};
  int beside_runs = 5;   // starts at each of these
  int rounds = 3;        // of all of it, at most
  int least_rounds = 0;  // before the plan's `enough` may end them; 0: all of them
};

struct Plan {
  // The settings of one of `engines`; defaults for one without.
  EngineSettings settings_of(const std::string& name) const;
  // How many instances of one of `engines` there may be at the same time.
  int most_instances(const std::string& name) const;

  std::vector<std::string> engines{"process", "container", "vm"};  // by the names of the report
  std::map<std::string, EngineSettings> settings{};                // by these names
  std::string image = "busybox";
  std::string memory = "128m";  // every engine's limit, or the machine's size
  int cpus = 1;
  std::string kernel;  // of the machines: "stock", "tuned" or an absolute path; empty: the default
  Workload start{"start-up", {"sh", "-c", "echo ready"}};
  // Stays until its standard input ends, after it has told what it sees of its machine.
  Workload idle{"idle", {"sh", "-c", "cat /proc/meminfo /proc/cmdline; echo ready; exec cat"}};
  std::vector<Workload> workloads{};  // measured beside start-up, each in blocks of its own
  int workload_blocks = 5;            // of each
  PageCache page_cache = PageCache::warm;
  int warm_ups = 2;      // blocks run first and left out of every figure
  int blocks = 30;       // blocks that count, at most; each holds every engine once
  int least_blocks = 0;  // that count before `enough` may end them; 0: all of them
  // The width of the 95 % interval of every engine's median, as a share of it, that is enough.
  double enough = 0;
  std::uint64_t seed = 1;
  DensityPlan density;
  LoadPlan load{};
  int image_imports = 5;  // into each engine's store that count, after one that does not; 0: none
  int timeout_s = 300;    // for one command to get ready, or to end
};

// For a first look: few blocks, few instances.
Plan quick_plan();
// For figures that are to be quoted: 100 blocks, or until every interval is under 1 %.
Plan publish_plan();

// One command of a measurement in blocks.
struct Step {
  std::string engine;
  int block = 0;     // counted from 0 over warm-ups and measured blocks
  int position = 0;  // within the block
  bool warm_up = false;
};

// All steps of the start-up measurement in order: every block holds every engine once, in an order
// drawn from the seed.
std::vector<Step> schedule(const Plan& plan);
// The steps of a further workload; one block warms up.
std::vector<Step> schedule(const Plan& plan, const Workload& workload);

// The steps of the imports of the image, in blocks as well, without engines that repeat others.
std::vector<Step> schedule_imports(const Plan& plan);

// The engines, without those that repeat others, in the order in which their instances are grown or
// in which they are started under load. Each growth and each round has an order of its own, drawn
// from the seed: what an engine leaves on the host must not meet the same one every time.
std::vector<std::string> density_order(const Plan& plan, const std::string& state, int repeat);
std::vector<std::string> load_order(const Plan& plan, int round);
// Of load.beside what the plan lets an engine run at the same time.
std::vector<int> others_beside(const Plan& plan, const std::string& engine);

// Adds a repetition of one engine under another name, unless there is one: how much it differs from
// itself is the noise that a difference has to stand out of.
void add_repetition(Plan& plan);

// Throws base::Error (usage) naming what is wrong.
void check(const Plan& plan);

}  // namespace twinbox::compare
