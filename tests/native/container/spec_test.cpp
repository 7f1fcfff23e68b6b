// What a spec asks for beyond docker's defaults.
#include <gtest/gtest.h>
#include <signal.h>

#include "base/error.hpp"
#include "box_fixture.hpp"
#include "container/capabilities.hpp"

namespace twinbox::testing {
namespace {

class ContainerSpec : public BoxFixture {};

TEST_F(ContainerSpec, SetsParametersOfItsNamespaces) {
  auto made = request("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni");
  made.spec.sysctl = {{"net.ipv4.ip_forward", "1"}, {"kernel.shmmni", "77"}};
  EXPECT_EQ(run(std::move(made)).out, "1\n77\n");
}

TEST_F(ContainerSpec, RefusesParametersOfTheHost) {
  for (const auto* const name : {"kernel.hostname", "vm.swappiness", "net.../kernel.panic"}) {
    auto made = request("true");
    made.spec.sysctl = {{name, "1"}};
    const auto result = run(std::move(made));
    ASSERT_TRUE(result.outcome.error) << name;
    EXPECT_NE(result.outcome.error->message().find(name), std::string::npos);
  }
}

TEST_F(ContainerSpec, HasItsOomScore) {
  auto made = request("cat /proc/self/oom_score_adj");
  made.spec.process.oom_score_adj = 321;
  EXPECT_EQ(run(std::move(made)).out, "321\n");
}

TEST_F(ContainerSpec, RunsOnItsProcessorsOnly) {
  auto made = request("grep Cpus_allowed_list /proc/self/status");
  made.spec.resources.cpuset_cpus = "0";
  EXPECT_EQ(run(std::move(made)).out, "Cpus_allowed_list:\t0\n");
}

TEST_F(ContainerSpec, HasTheDevicesItAsksFor) {
  auto made = request("head -c 3 /dev/some/zeros | wc -c; stat -c %a:%u:%g /dev/some/zeros");
  made.spec.devices = {{.path = "/dev/some/zeros",
                        .type = 'c',
                        .major = 1,
                        .minor = 5,
                        .file_mode = 0640,
                        .uid = 1,
                        .gid = 2}};
  EXPECT_EQ(run(std::move(made)).out, "3\n640:1:2\n");
}

TEST_F(ContainerSpec, RefusesADeviceOutsideOfDev) {
  for (const auto* const path : {"/etc/x", "/dev/../etc/x", "/dev/pts/9", "/dev"}) {
    auto made = request("true");
    made.spec.devices = {{.path = path, .major = 1, .minor = 5}};
    EXPECT_TRUE(run(std::move(made)).outcome.error) << path;
  }
}

TEST_F(ContainerSpec, PrivilegedMayMountAndMakeDevices) {
  auto made = request(
      "mkdir -p /m; mount -t tmpfs x /m && mknod /m/zero c 1 5 && head -c 3 /m/zero | wc -c;"
      "grep Seccomp: /proc/self/status; test -w /proc/sys/kernel && echo writable");
  for (const auto name : container::capability_names()) {
    made.spec.process.capabilities.emplace_back(name);
  }
  made.spec.seccomp = sandbox::Seccomp::unconfined;
  made.spec.all_devices = true;
  made.spec.masked_paths.clear();
  made.spec.readonly_paths.clear();
  const auto result = run(std::move(made));
  EXPECT_EQ(result.out, "3\nSeccomp:\t0\nwritable\n") << result.err;
}

TEST_F(ContainerSpec, InitRunsTheWorkloadAsItsChild) {
  auto made = request("echo $$; sh -c '(sleep 0; exit 3) &'; exit 7");
  made.spec.init = true;
  const auto result = run(std::move(made));
  EXPECT_EQ(result.out, "2\n");
  EXPECT_EQ(result.status(), 7);
}

TEST_F(ContainerSpec, InitPassesSignalsOn) {
  auto made = request("trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.1; done");
  made.spec.init = true;
  const auto engine = make_engine();
  RunningBox box(*engine, std::move(made));
  box.wait_for_output("ready");
  box.box().signal(SIGTERM);
  const auto result = box.finish();
  EXPECT_EQ(result.out, "ready\ncaught\n");
  EXPECT_EQ(result.status(), 5);
}

TEST_F(ContainerSpec, InitSaysWhenTheCommandIsMissing) {
  auto made = request(std::vector<std::string>{"/no/such/program"});
  made.spec.init = true;
  EXPECT_EQ(run(std::move(made)).status(), 127);
}

TEST_F(ContainerSpec, FiltersByAProfile) {
  auto made = request("mkdir /tmp/x 2>&1; touch /tmp/y && echo made");
  made.spec.seccomp = sandbox::Seccomp::profile;
  made.spec.seccomp_profile =
      R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],)"
      R"("action":"SCMP_ACT_ERRNO","errnoRet":95},{"names":["unlink"],"action":"SCMP_ACT_KILL",)"
      R"("includes":{"caps":["CAP_SYS_ADMIN"]}}]})";
  const auto result = run(std::move(made));
  EXPECT_NE(result.out.find("not supported"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("made"), std::string::npos) << result.out;
}

TEST_F(ContainerSpec, NamesWhatIsWrongInAProfile) {
  auto made = request("true");
  made.spec.seccomp = sandbox::Seccomp::profile;
  made.spec.seccomp_profile = R"({"defaultAction":"SCMP_ACT_DANCE"})";
  const auto result = run(std::move(made));
  ASSERT_TRUE(result.outcome.error);
  EXPECT_NE(result.outcome.error->message().find("defaultAction"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::testing
