#include "tests/unit/compare/sample_result.hpp"

#include <cmath>

namespace twinbox::compare {
namespace {

using sandbox::Mark;

constexpr std::uint64_t us = 1000;
constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

struct Shape {
  std::string engine;
  std::array<std::uint64_t, 7> marks_us;  // t1 to t7
  std::map<std::string, Footprint> components;
  std::uint64_t marginal;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all{{"process",
                                       {900, 1500, 1600, 1900, 2600, 2610, 3200},
                                       {{"supervisor", {9 * mib, 4 * mib, 1800 * kib, 900 * kib}},
                                        {"workload", {3 * mib, 1100 * kib, 300 * kib, 160 * kib}}},
                                       1200 * kib},
                                      {"container",
                                       {900, 1900, 5100, 6400, 7300, 7310, 9800},
                                       {{"supervisor", {14 * mib, 6 * mib, 2300 * kib, 1400 * kib}},
                                        {"workload", {3 * mib, 1100 * kib, 300 * kib, 160 * kib}}},
                                       2100 * kib},
                                      {"vm",
                                       {900, 16000, 370000, 402000, 405000, 405010, 428000},
                                       {{"supervisor", {9 * mib, 4 * mib, 1900 * kib, 950 * kib}},
                                        {"monitor", {12 * mib, 3 * mib, 2100 * kib, 1500 * kib}},
                                        {"guest RAM", {128 * mib, 46 * mib, 46 * mib, 45 * mib}}},
                                       52 * mib}};
  return all;
}

StartSample start_of(const Shape& shape, int block, int position, bool warm_up) {
  constexpr std::array order{Mark::entered,      Mark::created, Mark::booted, Mark::executed,
                             Mark::first_output, Mark::ready,   Mark::gone};
  StartSample sample;
  sample.engine = shape.engine;
  sample.block = block;
  sample.position = position;
  sample.warm_up = warm_up;
  sample.marks[Mark::request] = 0;
  // A spread of some percent that is different in each block.
  const double stretch = warm_up ? 1.5 : 1 + 0.02 * std::sin(block * 2.4 + position);
  for (std::size_t i = 0; i < order.size(); ++i) {
    sample.marks[order[i]] =
        static_cast<std::uint64_t>(static_cast<double>(shape.marks_us[i] * us) * stretch);
  }
  sample.user_ns = shape.marks_us[3] * us / 2;
  sample.system_ns = shape.marks_us[3] * us / 3;
  return sample;
}

InstanceMemory memory_of(const Shape& shape, int instance, int running) {
  InstanceMemory memory;
  memory.engine = shape.engine;
  memory.instance = instance;
  memory.running = running;
  memory.components = shape.components;
  if (running > 1) {
    // Shared pages are divided up.
    for (auto& [name, footprint] : memory.components) {
      const auto shared = footprint.pss - footprint.uss;
      footprint.pss = footprint.uss + shared / static_cast<std::uint64_t>(running);
    }
  }
  memory.processes = static_cast<int>(shape.components.size());
  const bool vm = shape.engine == "vm";
  memory.workload_view = {{"MemTotal", vm ? 104 * mib : 4096 * mib},
                          {"MemAvailable", vm ? 70 * mib : 3000 * mib}};
  if (vm) memory.kernel_command_line = "quiet reboot=t panic=-1";
  return memory;
}

DensitySeries density_of(const Shape& shape) {
  DensitySeries series;
  series.engine = shape.engine;
  series.constraint = "instance budget";
  std::uint64_t available = 3000 * mib;
  series.points.push_back({0, available, {}});
  for (int n = 1; n <= 6; ++n) {
    available -= shape.marginal + (n == 1 ? 9 * mib : 0);
    // The host's own small ups and downs.
    series.points.push_back(
        {n, available + static_cast<std::uint64_t>((n * 7) % 5) * 16 * kib, {}});
  }
  return series;
}

void add_samples(Result& result) {
  for (int block = 0; block < 6; ++block) {
    for (int i = 0; i < 3; ++i) {
      result.starts.push_back(
          start_of(shapes()[static_cast<std::size_t>((i + block) % 3)], block, i, block == 0));
    }
  }
  for (const auto& shape : shapes()) {
    result.memory.push_back(memory_of(shape, 1, 1));
    for (int n = 1; n <= 6; ++n) result.memory.push_back(memory_of(shape, n, 6));
    result.density.push_back(density_of(shape));
  }
}

}  // namespace

Result sample_result() {
  Result result;
  result.version = "0.1.0";
  result.command = "twinbox compare --quick";
  result.plan = quick_plan();
  result.plan.blocks = 5;
  result.image_digest = "sha256:7d1f3b0c";
  result.hosts = {{"this host", HostKind::native, {}}};
  for (const auto& name : result.plan.engines) {
    result.engines.push_back(describe_engine(name));
    result.engines.back().host = "this host";
    result.engines.back().image_digest = result.image_digest;
  }
  result.hosts.front().facts = {{"processor", "Some Processor 3000"},
                                {"processors online", "0-3"},
                                {"runs under a hypervisor", "no"},
                                {"kernel", "6.1.0-41-cloud-amd64 #1 SMP"},
                                {"frequency governor", "performance"},
                                {"same-page merging", "off"},
                                {"swap", "none"},
                                {"microcode", "0x1000065"},
                                {"cgroup version", "2"},
                                {"transparent huge pages", "madvise"},
                                {"mitigations", "spectre_v2: Mitigation: Retpolines"},
                                {"stolen time", "0.00 %"},
                                {"load before", "0.05"}};
  add_samples(result);
  return result;
}

}  // namespace twinbox::compare
