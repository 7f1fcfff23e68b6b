// What a container sees of the world, and what it may do.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "box_fixture.hpp"
#include "container/engine.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

class ContainerIsolation : public BoxFixture {};

TEST_F(ContainerIsolation, WorkloadIsProcessOneAndSeesOnlyItsOwn) {
  // The shell expands the pattern itself, so that there is no second process to count or to miss.
  const auto result = run("echo $$; echo /proc/[0-9]*");

  EXPECT_EQ(result.out, "1\n/proc/1\n");
}

TEST_F(ContainerIsolation, HasItsOwnNamespaces) {
  for (const auto* name : {"mnt", "pid", "uts", "ipc", "net", "cgroup"}) {
    const auto link = fs::read_symlink(fmt::format("/proc/self/ns/{}", name)).string();
    const auto result = run(fmt::format("readlink /proc/self/ns/{}", name));
    EXPECT_TRUE(result.out.starts_with(std::string(name) + ":[")) << result.out;
    EXPECT_NE(result.out, link + "\n");
  }
}

TEST_F(ContainerIsolation, HasItsHostName) { EXPECT_EQ(run("hostname").out, "testbox\n"); }

TEST_F(ContainerIsolation, LoopbackIsUp) {
  const auto result = run("ifconfig lo; ping -c 1 127.0.0.1 >/dev/null && echo answered");

  EXPECT_NE(result.out.find("UP LOOPBACK RUNNING"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("answered"), std::string::npos) << result.out << result.err;
}

TEST_F(ContainerIsolation, SeesNoInterfaceOfTheHost) {
  EXPECT_EQ(run("ls /sys/class/net").out, "lo\n");
}

TEST_F(ContainerIsolation, HoldsDockersDefaultCapabilities) {
  EXPECT_EQ(run("grep -E '^Cap|NoNewPrivs|Seccomp:' /proc/self/status").out,
            "CapInh:\t0000000000000000\n"
            "CapPrm:\t00000000a80425fb\n"
            "CapEff:\t00000000a80425fb\n"
            "CapBnd:\t00000000a80425fb\n"
            "CapAmb:\t0000000000000000\n"
            "NoNewPrivs:\t1\n"
            "Seccomp:\t2\n");
}

TEST_F(ContainerIsolation, HoldsOnlyTheCapabilitiesOfTheSpec) {
  auto made = request("grep -E 'CapEff|CapBnd' /proc/self/status");
  made.spec.process.capabilities = {"CAP_CHOWN", "CAP_KILL"};

  EXPECT_EQ(run(std::move(made)).out, "CapEff:\t0000000000000021\nCapBnd:\t0000000000000021\n");
}

TEST_F(ContainerIsolation, CanDoWithoutNoNewPrivileges) {
  auto made = request("grep -E 'NoNewPrivs|Seccomp:' /proc/self/status");
  made.spec.process.no_new_privileges = false;

  EXPECT_EQ(run(std::move(made)).out, "NoNewPrivs:\t0\nSeccomp:\t2\n");
}

TEST_F(ContainerIsolation, FilterDeniesWhatCapabilitiesWouldAllow) {
  const auto user_namespace = run("unshare -U true");
  EXPECT_NE(user_namespace.status(), 0);
  EXPECT_NE(user_namespace.err.find("Operation not permitted"), std::string::npos)
      << user_namespace.err;
}

TEST_F(ContainerIsolation, MayNotMount) {
  const auto result = run("mount -t tmpfs none /tmp");

  EXPECT_NE(result.status(), 0);
}

TEST_F(ContainerIsolation, MasksWhatTellsOfTheHost) {
  const auto result = run(
      "cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | wc -c;"
      "ls -A /sys/firmware /proc/acpi /proc/scsi 2>/dev/null | grep -v : | grep -v '^$' | wc -l");

  EXPECT_EQ(result.out, "0\n0\n");
}

TEST_F(ContainerIsolation, KernelSettingsAreReadOnly) {
  const auto result =
      run("for file in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/kernel/uevent_helper; do "
          "echo h > $file && echo wrote $file; done; true");

  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("Read-only file system"), std::string::npos) << result.err;
}

TEST_F(ContainerIsolation, WritesStayOutOfTheImage) {
  auto made = request("echo new > /etc/new; rm /bin/date; echo changed > /etc/passwd; ls /etc");
  const auto directory = made.directory;

  const auto result = run(std::move(made));

  EXPECT_EQ(result.out, "new\npasswd\n");
  EXPECT_FALSE(fs::exists(image() / "etc/new"));
  EXPECT_TRUE(fs::is_symlink(image() / "bin/date"));
  EXPECT_EQ(base::read_file(image() / "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  EXPECT_TRUE(fs::is_empty(directory));
}

TEST_F(ContainerIsolation, WritesGoToTheBoxsDirectoryWhereWanted) {
  auto made = request("echo new > /etc/new");
  made.keep_files = true;
  const auto directory = made.directory;

  EXPECT_EQ(run(std::move(made)).status(), 0);

  EXPECT_EQ(base::read_file(directory / "upper/etc/new"), "new\n");
  EXPECT_FALSE(fs::exists(image() / "etc/new"));
}

TEST_F(ContainerIsolation, WhatIsKeptIsThereAtTheNextStart) {
  auto made = request("echo new > /etc/new; rm /etc/passwd; rm -r /root; mkdir /root");
  made.keep_files = true;
  const auto directory = made.directory;
  EXPECT_EQ(run(std::move(made)).status(), 0);

  for (int again = 0; again < 2; ++again) {
    auto next = request("cat /etc/new; ls /etc /root");
    next.directory = directory;
    next.keep_files = true;
    EXPECT_EQ(run(std::move(next)).out, "new\n/etc:\nnew\n\n/root:\n");
  }
  EXPECT_TRUE(fs::exists(image() / "etc/passwd"));
}

TEST_F(ContainerIsolation, UpperLayersCoverLowerOnes) {
  const auto layer = scratch() / "layer,with:odd\\name";
  fs::create_directories(layer / "etc");
  base::write_file(layer / "etc/passwd", "from the upper layer\n");
  auto made = request("cat /etc/passwd");
  made.root.directories.push_back(layer);

  EXPECT_EQ(run(std::move(made)).out, "from the upper layer\n");
}

TEST_F(ContainerIsolation, TakesMoreLayersThanFitInOnePage) {
  auto made = request("ls /layers | wc -l");
  for (int index = 0; index < 60; ++index) {
    const auto layer = scratch() / fmt::format("{}-{}", std::string(80, 'x'), index);
    fs::create_directories(layer / "layers");
    base::write_file(layer / "layers" / std::to_string(index), "");
    made.root.directories.push_back(layer);
  }

  EXPECT_EQ(run(std::move(made)).out, "60\n");
}

TEST_F(ContainerIsolation, RootCanBeReadOnly) {
  auto made = request("touch /etc/new; touch /dev/shm/new && echo shm");
  made.spec.root_readonly = true;

  const auto result = run(std::move(made));

  EXPECT_EQ(result.out, "shm\n");
  EXPECT_NE(result.err.find("Read-only file system"), std::string::npos);
}

TEST_F(ContainerIsolation, HasTheDefaultDevices) {
  const auto result =
      run("echo lost > /dev/null; head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c;"
          "echo full > /dev/full; for l in fd stdout ptmx; do readlink /dev/$l; done; stat -c %a "
          "/dev/shm;"
          "grep -c mqueue /proc/mounts; ls /dev/pts");

  EXPECT_EQ(result.out, "3\n3\n/proc/self/fd\n/proc/self/fd/1\npts/ptmx\n1777\n1\nptmx\n");
  EXPECT_NE(result.err.find("No space left"), std::string::npos) << result.err;
}

TEST_F(ContainerIsolation, DeviceNodesOfTheImageDoNotWork) {
  ASSERT_EQ(::mknod((image() / "etc/zero").c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);

  const auto result = run("head -c 1 /etc/zero");

  EXPECT_NE(result.status(), 0);
  EXPECT_NE(result.err.find("Permission denied"), std::string::npos) << result.err;
}

TEST_F(ContainerIsolation, InheritsNoOtherDescriptor) {
  const int leak = ::open("/", O_RDONLY | O_DIRECTORY);  // deliberately without O_CLOEXEC
  ASSERT_GE(leak, 0);

  const auto result = run(request(std::vector<std::string>{"ls", "/proc/self/fd"}));

  ::close(leak);
  EXPECT_EQ(result.out, "0\n1\n2\n3\n");  // 3 is ls's own, for the directory
}

TEST_F(ContainerIsolation, SeesNoMountOfTheHost) {
  const auto result = run("cat /proc/self/mountinfo");

  EXPECT_EQ(result.out.find(" - ext4 "), std::string::npos) << result.out;
  EXPECT_NE(result.out.find(" / / rw"), std::string::npos) << result.out;
}

TEST_F(ContainerIsolation, BindsDirectoriesAndFiles) {
  const auto shared = scratch() / "shared";
  fs::create_directories(shared);
  base::write_file(shared / "note", "from the host\n");
  auto made =
      request("cat /mnt/shared/note /etc/note; echo back > /mnt/shared/back; echo x > /etc/note");
  made.spec.mounts.push_back({"/mnt/shared", "bind", shared, {"bind"}});
  made.spec.mounts.push_back({"/etc/note", "bind", shared / "note", {"bind", "ro"}});

  const auto result = run(std::move(made));

  EXPECT_EQ(result.out, "from the host\nfrom the host\n");
  EXPECT_EQ(base::read_file(shared / "back"), "back\n");
  EXPECT_EQ(base::read_file(shared / "note"), "from the host\n");
}

TEST_F(ContainerIsolation, ReportsAMountThatFails) {
  auto made = request("true");
  made.spec.mounts.push_back({"/mnt", "bind", "/no/such/source", {"bind"}});

  const auto result = run(std::move(made));

  EXPECT_EQ(result.status(), 125);
  ASSERT_TRUE(result.outcome.error);
  EXPECT_EQ(result.outcome.error->kind(), base::ErrorKind::not_found);
  EXPECT_NE(result.outcome.error->message().find("/no/such/source"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::testing
