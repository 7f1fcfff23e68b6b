#include "sandbox/spec_message.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace twinbox::sandbox {
namespace {

Spec workload() {
  auto spec = default_spec();
  spec.process.args = {"sh", "-c", "echo \"ü\"\n"};
  spec.process.no_new_privileges = false;
  spec.hostname = "box";
  return spec;
}

Spec told(const Spec& spec) {
  const auto json = base::parse_json(spec_message(spec), "message");
  return spec_from_message(base::JsonView(json, "message"));
}

TEST(SpecMessage, OfAUsualWorkloadIsShort) {
  const auto spec = workload();
  EXPECT_LT(spec_message(spec).size(), to_json(spec).size() / 8);
  EXPECT_EQ(to_json(told(spec)), to_json(spec));
}

TEST(SpecMessage, KeepsWhateverDiffers) {
  const std::vector<std::function<void(Spec&)>> differences{
      [](Spec& spec) { spec.process.env = {}; },
      [](Spec& spec) { spec.process.cwd = "/tmp"; },
      [](Spec& spec) { spec.process.no_new_privileges = true; },
      [](Spec& spec) { spec.process.terminal = true; },
      [](Spec& spec) { spec.process.terminal_size = {.columns = 80, .rows = 24}; },
      [](Spec& spec) { spec.process.user.uid = 5; },
      [](Spec& spec) { spec.process.user.gid = 5; },
      [](Spec& spec) { spec.process.user.additional_gids = {7}; },
      [](Spec& spec) {
        spec.process.rlimits = {{"RLIMIT_NOFILE", 10, 20}};
      },
      [](Spec& spec) { spec.process.oom_score_adj = 3; },
      [](Spec& spec) { spec.process.capabilities.pop_back(); },
      [](Spec& spec) { spec.root_readonly = true; },
      [](Spec& spec) { spec.hostname = ""; },
      [](Spec& spec) { spec.mounts.pop_back(); },
      [](Spec& spec) { spec.mounts[1].options.emplace_back("ro"); },
      [](Spec& spec) { spec.masked_paths.emplace_back("/proc/uptime"); },
      [](Spec& spec) { spec.readonly_paths.clear(); },
      [](Spec& spec) { spec.resources.memory_bytes = 5 << 20; },
      [](Spec& spec) { spec.resources.cpus = 0.5; },
      [](Spec& spec) { spec.resources.pids = 9; },
      [](Spec& spec) { spec.resources.memory_swap_bytes = -1; },
      [](Spec& spec) { spec.resources.cpuset_cpus = "0"; },
      [](Spec& spec) { spec.resources.oom_kill_disable = true; },
      [](Spec& spec) { spec.seccomp = Seccomp::unconfined; },
      [](Spec& spec) {
        spec.seccomp = Seccomp::profile;
        spec.seccomp_profile = R"({"defaultAction":"SCMP_ACT_ALLOW"})";
      },
      [](Spec& spec) { spec.init = true; },
      [](Spec& spec) { spec.sysctl["net.core.somaxconn"] = "7"; },
      [](Spec& spec) {
        spec.devices = {{.path = "/dev/fuse", .type = 'c', .major = 10, .minor = 229}};
      },
      [](Spec& spec) { spec.all_devices = true; },
  };
  for (std::size_t i = 0; i < differences.size(); ++i) {
    auto spec = workload();
    differences[i](spec);
    EXPECT_NE(to_json(spec), to_json(workload())) << i;
    EXPECT_TRUE(to_json(told(spec)) == to_json(spec)) << i;
  }
}

TEST(SpecMessage, NamesWhatJsonCannotHold) {
  auto spec = workload();
  spec.process.args.emplace_back("\xff");
  EXPECT_THROW(spec_message(spec), base::Error);
}

}  // namespace
}  // namespace twinbox::sandbox
