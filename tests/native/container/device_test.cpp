// Which devices a box may use, on whichever cgroup version the host has.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "base/syscall.hpp"
#include "base/text.hpp"
#include "box_fixture.hpp"
#include "container/capabilities.hpp"
#include "container/device_program.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

// A number for local use, which has no driver: who may open such a device is told so, who may not
// is not let that far.
constexpr unsigned major_number = 240;
constexpr unsigned minor_number = 77;
constexpr const char* make_it = "mknod /dev/it c 240 77 && ";
constexpr const char* reached = "No such device or address";
constexpr const char* refused = "Operation not permitted";

class ContainerDevices : public BoxFixture {
 protected:
  // What the box says to the script on its standard error.
  std::string complaint(const std::string& script, std::vector<sandbox::Device> devices = {}) {
    auto made = request(script);
    made.spec.devices = std::move(devices);
    return run(std::move(made)).err;
  }
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(ContainerDevices, NodesCanBeMadeAndNotUsed) {
  EXPECT_SAYS(complaint(std::string(make_it) + "cat /dev/it"), refused);
  EXPECT_SAYS(complaint("mknod /dev/disk b 8 0 && cat /dev/disk"), refused);
}

TEST_F(ContainerDevices, NoFilterMakesNoDifference) {
  auto made = request("mknod /dev/disk b 8 0 && cat /dev/disk");
  made.spec.seccomp = sandbox::Seccomp::unconfined;
  EXPECT_SAYS(run(std::move(made)).err, refused);
}

TEST_F(ContainerDevices, FurtherProcessesAreHeldToThemToo) {
  const auto engine = make_engine();
  RunningBox box(*engine, request("mknod /dev/disk b 8 0; echo ready; cat"));
  box.wait_for_output("ready");

  auto [out, out_end] = base::make_pipe();
  const auto nothing = base::open_file("/dev/null", O_RDWR);
  auto process = sandbox::default_spec().process;
  process.args = {"sh", "-c", "cat /dev/disk"};
  std::optional<sandbox::Outcome> end;
  const auto further =
      box.box().exec({.process = process,
                      .task = {},
                      .stdio = {nothing.get(), out_end.get(), out_end.get()},
                      .on_executed = {},
                      .on_exit = [&](const sandbox::Outcome& outcome) { end = outcome; }});
  box.run_until([&] { return end.has_value(); });
  out_end.reset();
  EXPECT_SAYS(base::read_to_end(out.get()), refused);
  box.finish();
}

TEST_F(ContainerDevices, AGivenDeviceCanBeUsedAsItWasGiven) {
  sandbox::Device device{
      .path = "/dev/it", .type = 'c', .major = major_number, .minor = minor_number};
  EXPECT_SAYS(complaint("cat /dev/it", {device}), reached);
  EXPECT_SAYS(complaint("echo >/dev/it", {device}), reached);
  device.access = "r";
  EXPECT_SAYS(complaint("cat /dev/it", {device}), reached);
  EXPECT_SAYS(complaint("echo >/dev/it", {device}), refused);
  EXPECT_SAYS(complaint("mknod /dev/other c 240 78 && cat /dev/other", {device}), refused);
  EXPECT_SAYS(complaint("mknod /dev/other b 240 77 && cat /dev/other", {device}), refused);
}

TEST_F(ContainerDevices, PrivilegedMayUseAll) {
  auto made = request(std::string(make_it) + "cat /dev/it");
  for (const auto name : container::capability_names()) {
    made.spec.process.capabilities.emplace_back(name);
  }
  made.spec.seccomp = sandbox::Seccomp::unconfined;
  made.spec.all_devices = true;
  EXPECT_SAYS(run(std::move(made)).err, reached);
}

// Version 2's program by itself, which a host of version 1 can run as well: its group of version 2
// takes programs though it has no controllers.
class DeviceProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "making control groups takes root privileges";
    std::ifstream mounts("/proc/mounts");
    for (std::string line; std::getline(mounts, line);) {
      const auto fields = base::words(line);
      if (fields.at(2) == "cgroup2") group_ = fs::path(fields.at(1)) / directory_.path().filename();
    }
    if (group_.empty()) GTEST_SKIP() << "no cgroup file system of version 2 is mounted";
    fs::create_directory(group_);
    for (const unsigned minor : {1U, 2U}) {
      ASSERT_EQ(::mknod(node(minor).c_str(), S_IFCHR | 0600, makedev(major_number, minor)), 0);
    }
  }
  void TearDown() override {
    if (!group_.empty()) ::rmdir(group_.c_str());
  }

  std::string node(unsigned minor) const { return directory_.path() / std::to_string(minor); }

  void allow(std::vector<container::DeviceRule> rules) const {
    const auto group = base::open_file(group_, O_RDONLY | O_DIRECTORY);
    container::attach_device_program(group.get(), container::load_device_program(rules));
  }
  // The error of opening it in the group.
  int error_of(unsigned minor, int flags) const {
    const auto pid = ::fork();
    if (pid == 0) {
      base::write_all(base::open_file(group_ / "cgroup.procs", O_WRONLY).get(), "0");
      ::_exit(::open(node(minor).c_str(), flags) >= 0 ? 0 : errno);
    }
    return base::shell_status(base::wait_for(pid));
  }

 private:
  // Where devices work, unlike in many a /tmp.
  base::TemporaryDirectory directory_{"/dev", "twinbox-device-test-"};
  fs::path group_;
};

TEST_F(DeviceProgram, AllowsWhatARuleAllows) {
  allow({{.type = 'b'}, {.major = major_number, .minor = 1, .access = "r"}});
  EXPECT_EQ(error_of(1, O_RDONLY), ENXIO);
  EXPECT_EQ(error_of(1, O_WRONLY), EPERM);
  EXPECT_EQ(error_of(1, O_RDWR), EPERM);
  EXPECT_EQ(error_of(2, O_RDONLY), EPERM);
}

TEST_F(DeviceProgram, NoNumberMeansAll) {
  allow({{.major = major_number, .access = "rw"}});
  EXPECT_EQ(error_of(1, O_RDWR), ENXIO);
  EXPECT_EQ(error_of(2, O_RDWR), ENXIO);
}

TEST_F(DeviceProgram, NoRuleAllowsNothing) {
  allow({});
  EXPECT_EQ(error_of(1, O_RDONLY), EPERM);
}

TEST_F(DeviceProgram, GroupsWithoutOneAreLeftAlone) { EXPECT_EQ(error_of(1, O_RDONLY), ENXIO); }

}  // namespace
}  // namespace twinbox::testing
