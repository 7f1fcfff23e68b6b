#include "sandbox/spec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

namespace twinbox::sandbox {
namespace {

base::Json minimal() {
  return {{"ociVersion", "1.0.2"},
          {"root", {{"path", "rootfs"}}},
          {"process", {{"args", {"true"}}, {"cwd", "/"}}}};
}

std::string refusal(const base::Json& json) {
  try {
    spec_from_json(json.dump(), "config.json");
  } catch (const base::Error& error) {
    return error.message();
  }
  return "accepted";
}

TEST(DefaultSpec, HasDockersCapabilitiesMountsAndPath) {
  const auto spec = default_spec();
  EXPECT_EQ(spec.process.capabilities.size(), 14U);
  const auto has_mount = [&](std::string_view destination) {
    return std::ranges::any_of(
        spec.mounts, [&](const Mount& mount) { return mount.destination == destination; });
  };
  for (const auto* const destination : {"/proc", "/dev", "/dev/pts", "/dev/shm", "/sys"}) {
    EXPECT_TRUE(has_mount(destination)) << destination;
  }
  EXPECT_TRUE(spec.process.env.front().starts_with("PATH="));
  EXPECT_TRUE(spec.process.no_new_privileges);
  EXPECT_EQ(spec.seccomp, Seccomp::standard);
}

TEST(SpecJson, KeepsEveryField) {
  auto spec = default_spec();
  spec.process.args = {"sh", "-c", "echo 'a \"b\"' \n ü"};
  spec.process.user = {.uid = 1000, .gid = 100, .additional_gids = {4, 24}};
  spec.process.cwd = "/tmp";
  spec.process.terminal = true;
  spec.process.no_new_privileges = false;
  spec.process.rlimits = {{"RLIMIT_NOFILE", 1024, 4096}};
  spec.root_readonly = true;
  spec.hostname = "box";
  spec.resources = {.memory_bytes = 64U << 20, .cpus = 1.5, .pids = 100};
  spec.seccomp = Seccomp::unconfined;
  spec.annotations = {{"org.example.key", "value"}};
  spec.vm = {.kernel = "/boot/vmlinuz",
             .kernel_parameters = "quiet panic=-1",
             .initrd = "/initrd",
             .cold = true};

  spec.resources.memory_swap_bytes = -1;
  spec.resources.cpuset_cpus = "0-2,4";
  spec.resources.oom_kill_disable = true;
  spec.process.oom_score_adj = -100;
  spec.process.terminal_size = {.columns = 80, .rows = 25};
  spec.init = true;
  spec.all_devices = true;
  spec.sysctl = {{"net.ipv4.ip_forward", "1"}};
  spec.devices = {{.path = "/dev/x", .type = 'b', .major = 7, .minor = 3, .access = "rw"}};

  const auto text = to_json(spec);
  const auto back = spec_from_json(text, "config.json");

  EXPECT_EQ(to_json(back), text);
  EXPECT_TRUE(back.unknown_members.empty()) << back.unknown_members;
  EXPECT_EQ(back.resources, spec.resources);
  EXPECT_EQ(back.process.oom_score_adj, -100);
  EXPECT_EQ(back.process.terminal_size.columns, 80);
  EXPECT_TRUE(back.init);
  EXPECT_TRUE(back.all_devices);
  EXPECT_EQ(back.sysctl, spec.sysctl);
  ASSERT_EQ(back.devices.size(), 1U);
  EXPECT_EQ(back.devices[0].type, 'b');
  EXPECT_EQ(back.devices[0].access, "rw");
  EXPECT_EQ(back.process.args, spec.process.args);
  EXPECT_EQ(back.process.user.additional_gids, spec.process.user.additional_gids);
  EXPECT_EQ(back.process.capabilities, spec.process.capabilities);
  EXPECT_EQ(back.process.rlimits.at(0).hard, 4096U);
  EXPECT_TRUE(back.process.terminal);
  EXPECT_FALSE(back.process.no_new_privileges);
  EXPECT_EQ(back.mounts.size(), spec.mounts.size());
  EXPECT_EQ(back.resources.memory_bytes, spec.resources.memory_bytes);
  EXPECT_DOUBLE_EQ(*back.resources.cpus, 1.5);
  EXPECT_EQ(back.resources.pids, 100);
  EXPECT_EQ(back.seccomp, Seccomp::unconfined);
  EXPECT_EQ(back.masked_paths, spec.masked_paths);
  EXPECT_EQ(back.annotations, spec.annotations);
  EXPECT_EQ(back.vm.kernel_parameters, "quiet panic=-1");
  EXPECT_TRUE(back.vm.cold);
  EXPECT_EQ(back.vm.initrd, "/initrd");
}

TEST(SpecJson, KeepsTheDefaultSeccompFilterAndAbsentLimits) {
  auto spec = default_spec();
  spec.process.args = {"true"};
  const auto back = spec_from_json(to_json(spec), "config.json");
  EXPECT_EQ(back.seccomp, Seccomp::standard);
  EXPECT_TRUE(back.annotations.empty());
  EXPECT_FALSE(back.resources.memory_bytes);
  EXPECT_FALSE(back.resources.cpus);
  EXPECT_FALSE(back.resources.pids);
}

TEST(SpecJson, IgnoresUnknownFieldsAndEmptyUnsupportedOnes) {
  auto json = minimal();
  json["fromTheFuture"] = {{"a", 1}};
  json["hooks"] = base::Json::object();
  json["linux"]["uidMappings"] = base::Json::array();
  json["linux"]["resources"]["memory"]["limit"] = -1;
  const auto spec = spec_from_json(json.dump(), "config.json");
  EXPECT_EQ(spec.process.args, std::vector<std::string>{"true"});
  EXPECT_FALSE(spec.resources.memory_bytes);
  EXPECT_EQ(spec.seccomp, Seccomp::unconfined) << "the runtime-spec's default is no filter";
}

TEST(SpecJson, NamesTheFeatureItCannotHonour) {
  auto json = minimal();
  json["linux"]["intelRdt"] = {{"closID", "1"}};
  EXPECT_NE(refusal(json).find("config.json.linux.intelRdt"), std::string::npos) << refusal(json);
}

TEST(SpecJson, WritesUnknownMembersAgain) {
  auto json = minimal();
  json["fromTheFuture"] = {{"a", 1}};
  json["linux"]["resources"]["memory"]["hint"] = "x";
  const auto again = base::parse_json(to_json(spec_from_json(json.dump(), "config.json")), "again");
  EXPECT_EQ(again.at("fromTheFuture").at("a"), 1);
  EXPECT_EQ(again.at("linux").at("resources").at("memory").at("hint"), "x");
}

TEST(SpecJson, KeepsASeccompProfileAsItIs) {
  auto json = minimal();
  json["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ALLOW"}};
  const auto spec = spec_from_json(json.dump(), "config.json");
  EXPECT_EQ(spec.seccomp, Seccomp::profile);
  EXPECT_EQ(base::parse_json(to_json(spec), "again").at("linux").at("seccomp"),
            json["linux"]["seccomp"]);
}

TEST(SpecJson, RefusesADeviceThatNoRuleAllows) {
  auto json = minimal();
  json["linux"]["devices"] =
      base::Json::array({{{"path", "/dev/x"}, {"type", "c"}, {"major", 1}, {"minor", 3}}});
  EXPECT_NE(refusal(json).find("config.json.linux.devices[0]"), std::string::npos) << refusal(json);
}

TEST(SpecJson, RefusesToShareOrJoinNamespaces) {
  auto shared = minimal();
  shared["linux"]["namespaces"] = base::Json::array({{{"type", "pid"}}});
  EXPECT_NE(refusal(shared).find("host's network namespace"), std::string::npos);
  auto joined = minimal();
  joined["linux"]["namespaces"] =
      base::Json::array({{{"type", "network"}, {"path", "/proc/1/ns/net"}}});
  EXPECT_NE(refusal(joined).find("config.json.linux.namespaces[0]"), std::string::npos);
}

TEST(SpecJson, NamesTheFieldThatIsWrong) {
  auto no_args = minimal();
  no_args["process"].erase("args");
  EXPECT_EQ(refusal(no_args), "config.json.process: the field 'args' is missing");
  auto empty_args = minimal();
  empty_args["process"]["args"] = base::Json::array();
  EXPECT_NE(refusal(empty_args).find("config.json.process.args"), std::string::npos);
  auto zero_period = minimal();
  zero_period["linux"]["resources"]["cpu"] = {{"quota", 1000}, {"period", 0}};
  EXPECT_NE(refusal(zero_period).find("cpu.period"), std::string::npos);
  auto version = minimal();
  version["ociVersion"] = "2.0.0";
  EXPECT_NE(refusal(version).find("ociVersion"), std::string::npos);
}

TEST(SpecJson, RefusesBytesThatJsonCannotHold) {
  auto spec = default_spec();
  spec.process.args = {"\xff"};
  EXPECT_THROW(to_json(spec), base::Error);
}

}  // namespace
}  // namespace twinbox::sandbox
