// Images and specs that try to get out; each test stands for a family of known attacks.
#include <gtest/gtest.h>

#include "box_fixture.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

class ContainerEscape : public BoxFixture {
 protected:
  void replace_with_link(const std::string& name, const fs::path& target) const {
    fs::remove_all(image() / name);
    fs::create_symlink(target, image() / name);
  }

  void expect_refused(const BoxResult& result, const std::string& about) const {
    EXPECT_EQ(result.status(), 125);
    ASSERT_TRUE(result.outcome.error);
    EXPECT_NE(result.outcome.error->message().find(about), std::string::npos)
        << result.outcome.error->what();
    EXPECT_EQ(result.out, "");
  }
};

// CVE-2019-19921, CVE-2023-27561: with /proc a link, the guards of /proc land elsewhere.
TEST_F(ContainerEscape, RefusesAnImageWhoseProcIsALink) {
  replace_with_link("proc", "/tmp");
  expect_refused(run("true"), "/proc");
}

TEST_F(ContainerEscape, RefusesAnImageWhoseSysIsALink) {
  replace_with_link("sys", "/tmp");
  expect_refused(run("true"), "/sys");
}

TEST_F(ContainerEscape, RefusesAnImageWhoseDevIsALink) {
  replace_with_link("dev", "/etc");
  expect_refused(run("true"), "/dev");
}

// CVE-2025-31133: the cover of masked files must be the null device and nothing else.
TEST_F(ContainerEscape, MasksWithTheNullDeviceOnly) {
  base::write_file(image() / "dev/null", "no device");
  auto made = request("true");
  std::erase_if(made.spec.mounts,
                [](const auto& mount) { return mount.destination.starts_with("/dev"); });
  expect_refused(run(std::move(made)), "null");
}

TEST_F(ContainerEscape, DoesNotFollowALinkToAMaskedPath) {
  fs::create_symlink("/proc/kcore", image() / "etc/link");
  auto made = request("true");
  made.spec.masked_paths = {"/etc/link"};
  expect_refused(run(std::move(made)), "/etc/link");
}

// A link as the place of a mount leads within the image, never to the host.
TEST_F(ContainerEscape, ResolvesMountTargetsInsideTheRoot) {
  const auto shared = scratch() / "shared";
  fs::create_directories(shared);
  base::write_file(shared / "note", "from the host\n");
  const auto first = scratch() / "outside-1";
  const auto second = scratch() / "outside-2";
  for (const auto& outside : {first, second}) {
    fs::create_directories(outside);
    fs::create_directories(image() / outside.relative_path());
  }
  fs::create_symlink(first, image() / "absolute");
  fs::create_symlink("../../../../../../../.." + second.string(), image() / "relative");
  auto made = request(fmt::format("cat {}/note; cat {}/x/note", first.string(), second.string()));
  made.spec.mounts.push_back({"/absolute", "bind", shared, {"bind"}});
  made.spec.mounts.push_back({"/relative/x", "bind", shared, {"bind"}});

  const auto result = run(std::move(made));

  EXPECT_EQ(result.out, "from the host\nfrom the host\n") << result.err;
  EXPECT_TRUE(fs::is_empty(first));
  EXPECT_TRUE(fs::is_empty(second));
}

// CVE-2024-21626: descriptors of the host must not serve as a working directory.
TEST_F(ContainerEscape, RefusesADescriptorAsWorkingDirectory) {
  for (int number = 0; number < 16; ++number) {
    SCOPED_TRACE(number);
    auto made = request("cat /etc/passwd; ls ../../..");
    made.spec.process.cwd = fmt::format("/proc/self/fd/{}", number);
    const auto result = run(std::move(made));
    EXPECT_EQ(result.status(), 125);
    EXPECT_TRUE(result.outcome.error);
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(ContainerEscape, AWorkingDirectoryLinkStaysInsideTheRoot) {
  fs::create_symlink("/../../..", image() / "up");
  auto made = request("ls -d proc/1/cwd etc/passwd; pwd -P");
  made.spec.process.cwd = "/up";

  EXPECT_EQ(run(std::move(made)).out, "etc/passwd\nproc/1/cwd\n/\n");
}

// CVE-2019-5736: a command that is /proc/self/exe executes the stub again, not the runtime.
TEST_F(ContainerEscape, TheRuntimeCannotBeReachedThroughProcSelfExe) {
  const auto direct = run(request(std::vector<std::string>{"/proc/self/exe", "argument"}));
  EXPECT_EQ(direct.status(), 127);
  EXPECT_TRUE(direct.marks.at(sandbox::Mark::executed));
  EXPECT_EQ(direct.out + direct.err, "");

  add_program("/bin/script", "#!/proc/self/exe\n");
  const auto interpreted = run(request(std::vector<std::string>{"/bin/script"}));
  EXPECT_EQ(interpreted.status(), 127);
  EXPECT_TRUE(interpreted.marks.at(sandbox::Mark::executed));
  EXPECT_EQ(interpreted.out + interpreted.err, "");
}

TEST_F(ContainerEscape, ControlGroupsCannotBeChanged) {
  const auto result =
      run("for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/new 2>/dev/null && echo made; "
          "[ -e $d/release_agent ] && echo x > $d/release_agent && echo wrote; done; true");

  EXPECT_EQ(result.out, "");
}

TEST_F(ContainerEscape, ProcessOneOfTheHostIsOutOfSight) {
  EXPECT_EQ(run("cat /proc/1/cmdline | tr '\\0' ' ' | head -c 5; ls /proc/1/root/etc").out,
            "sh -cpasswd\n");
}

TEST_F(ContainerEscape, RefusesARelativeWorkingDirectory) {
  auto made = request("true");
  made.spec.process.cwd = "tmp";
  expect_refused(run(std::move(made)), "tmp");
}

TEST_F(ContainerEscape, RefusesAMountOnTheRootsParent) {
  auto made = request("true");
  made.spec.mounts.push_back({"/missing/..", "tmpfs", "tmpfs", {}});
  expect_refused(run(std::move(made)), "/missing/..");
}

}  // namespace
}  // namespace twinbox::testing
