// What a comparison measures, how often and in which order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace twinbox::compare {

// A command run in the image. It is ready when its output holds the line `ready`.
struct Workload {
  std::string name;
  std::vector<std::string> args;
};

// Growth of the number of instances that run at the same time.
struct DensityPlan {
  int limit_of(const std::string& engine) const;

  // Instances at most, by engine. Small ones need many before their slope stands out of the host's
  // own ups and downs.
  std::map<std::string, int> limits{{"process", 64}, {"container", 64}, {"vm", 16}};
  // Of the instances, the first that are left out of the fit: they pay for what later ones share,
  // and live on what the host has kept from earlier boxes.
  double discarded_share = 1.0 / 3;
  int settle_ms = 200;  // from the last instance being ready to the reading of the host's memory
  double memory_share = 0.5;  // of the host's available memory at the start, at most
};

struct Plan {
  std::vector<std::string> engines{"process", "container", "vm"};
  std::string image = "busybox";
  std::string memory = "128m";  // every engine's limit, or the machine's size
  int cpus = 1;
  std::string kernel;  // of the machines: "stock", "tuned" or an absolute path; empty: the default
  Workload start{"start-up", {"sh", "-c", "echo ready"}};
  // Stays until its standard input ends, after it has told what it sees of its machine.
  Workload idle{"idle", {"sh", "-c", "cat /proc/meminfo /proc/cmdline; echo ready; exec cat"}};
  int warm_ups = 2;  // blocks run first and left out of every figure
  int blocks = 30;   // blocks that count; each holds every engine once
  std::uint64_t seed = 1;
  DensityPlan density;
  int timeout_s = 300;  // for one command to get ready, or to end
};

// For a first look: a few blocks, a few instances.
Plan quick_plan();

// One command of the start-up measurement.
struct Step {
  std::string engine;
  int block = 0;     // counted from 0 over warm-ups and measured blocks
  int position = 0;  // within the block
  bool warm_up = false;
};

// All steps in order: every block holds every engine once, in an order drawn from the seed.
std::vector<Step> schedule(const Plan& plan);

// The engines in the order in which their instances are grown, drawn from the seed.
std::vector<std::string> density_order(const Plan& plan);

// Throws base::Error (usage) naming what is wrong.
void check(const Plan& plan);

}  // namespace twinbox::compare
