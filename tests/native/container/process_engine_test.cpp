// The native baseline: the image's files and the spec's process, on the bare host.
#include <gtest/gtest.h>
#include <signal.h>

#include "box_fixture.hpp"
#include "container/engine.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

class NativeProcess : public BoxFixture {
 protected:
  std::unique_ptr<sandbox::Engine> make_engine() const override {
    return std::make_unique<container::ProcessEngine>();
  }
};

TEST_F(NativeProcess, KeepsStreamsAndStatusApart) {
  const auto result = run(request("cat; echo err >&2; exit 7"), "in\n");

  EXPECT_EQ(result.status(), 7);
  EXPECT_EQ(result.out, "in\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_TRUE(result.marks.at(sandbox::Mark::executed));
}

TEST_F(NativeProcess, SharesTheHostsNamespaces) {
  for (const auto* name : {"pid", "uts", "ipc", "net", "cgroup"}) {
    const auto link = fs::read_symlink(fmt::format("/proc/self/ns/{}", name)).string();
    EXPECT_EQ(run(fmt::format("readlink /proc/self/ns/{}", name)).out, link + "\n");
  }
}

TEST_F(NativeProcess, WritesStayOutOfTheImage) {
  auto made = request("echo new > /etc/new; cat /etc/new");

  EXPECT_EQ(run(made).out, "new\n");
  EXPECT_FALSE(fs::exists(image() / "etc/new"));
  EXPECT_TRUE(control_groups_of(made.id).empty());
}

TEST_F(NativeProcess, HasTheProcessOfTheSpec) {
  auto made = request("id -u; pwd; env | grep WORD; head -c 1 /dev/zero | wc -c");
  made.spec.process.user = {1000, 1000, {}};
  made.spec.process.cwd = "/tmp";
  made.spec.process.env.push_back("WORD=value");

  EXPECT_EQ(run(std::move(made)).out, "1000\n/tmp\nWORD=value\n1\n");
}

TEST_F(NativeProcess, ReportsACommandThatIsNotThere) {
  const auto result = run(request(std::vector<std::string>{"no-such-command"}));

  EXPECT_EQ(result.status(), 127);
  EXPECT_TRUE(result.outcome.error);
}

TEST_F(NativeProcess, EndsByASignal) {
  const auto engine = make_engine();
  RunningBox running(*engine, request("echo ready; sleep 1000; true"));
  running.wait_for_output("ready");

  running.box().signal(SIGTERM);

  EXPECT_EQ(running.finish().status(), 128 + SIGTERM);
}

}  // namespace
}  // namespace twinbox::testing
