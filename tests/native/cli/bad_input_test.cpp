// What a user can get wrong, or what a host can lack: every answer names the thing and the mend.

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

class BadInput : public CliFixture {
 protected:
  // Runs it, expects our own error status, and gives what was said.
  std::string said(const Words& args) const { return check(twinbox(args)); }
  static std::string check(const CommandResult& result) {
    EXPECT_EQ(result.status, 125) << result.out << result.err;
    EXPECT_TRUE(result.err.starts_with("twinbox: ")) << result.err;
    EXPECT_NE(result.err.find("\nhint: "), std::string::npos) << result.err;
    return result.err;
  }
  void expect(const Words& args, const Words& parts) const { expect_parts(said(args), parts); }
  // On a host where QEMU, which could stand in for the monitor, is not installed.
  void expect_without_qemu(const Words& args, const Words& parts) const {
    Command command(TWINBOX_PROGRAM, args,
                    {"TWINBOX_ROOT=" + root().string(), "PATH=/nonexistent"});
    expect_parts(check(command.finish()), parts);
  }
  static void expect_parts(const std::string& text, const Words& parts) {
    for (const auto& part : parts) {
      EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
    }
  }
};

TEST_F(BadInput, OfVerbsAndFlags) {
  expect({}, {"no verb", "twinbox help"});
  expect({"fly"}, {"'fly'", "twinbox help"});
  expect({"run", "--fly", "busybox", "true"}, {"--fly", "twinbox help run"});
  expect({"run"}, {"which image"});
  expect({"run", "--as", "jail", "busybox", "true"}, {"'jail'", "container, vm"});
  expect({"image"}, {"import, ls, rm"});
  expect({"image", "import", "x"}, {"NAME DIRECTORY|TAR"});
  expect({"image", "rm", "nothing"}, {"no image 'nothing'", "busybox"});
}

TEST_F(BadInput, OfRunsValues) {
  expect({"run", "unknown", "true"},
         {"no image 'unknown'", "busybox", "twinbox image import unknown"});
  expect({"run", "busybox"}, {"no command", "twinbox run busybox COMMAND"});
  expect({"run", "--memory", "lots", "busybox", "true"}, {"--memory", "'lots'", "128m"});
  expect({"run", "--memory", "1m", "busybox", "true"}, {"--memory", "1m", "at least"});
  expect({"run", "--cpus", "0", "busybox", "true"}, {"--cpus", "'0'"});
  expect({"run", "-u", "stranger", "busybox", "true"}, {"no user 'stranger'", "/etc/passwd"});
  expect({"run", "--kernel", "/etc/passwd", "busybox", "true"}, {"--kernel", "container", "--as"});
}

TEST_F(BadInput, OfImports) {
  const auto text = scratch() / "text";
  base::write_file(text, "no archive");
  expect({"image", "import", "text", text}, {text, "tar of a root file system"});
  expect({"image", "import", "text", "/no/such/file"}, {"/no/such/file"});
  expect({"image", "import", "Not A Name", image_source()}, {"'Not A Name'"});
}

TEST_F(BadInput, OfACorruptConfigNamesItsDigest) {
  const auto digest = config_digest();
  damage(blob(digest));
  expect({"run", "busybox", "true"}, {digest, "corrupt", "import the image again"});
  expect({"image", "verify", "busybox"}, {digest});
  EXPECT_NE(twinbox({"image", "ls"}).out.find(digest), std::string::npos);
  EXPECT_EQ(twinbox({"image", "import", "busybox", image_source()}).status, 0);
  EXPECT_EQ(twinbox({"run", "--rm", "busybox", "true"}).status, 0)
      << "imported again, it works again";
}

TEST_F(BadInput, OfACorruptLayerNamesItsDigest) {
  const auto digest = layer_digest();
  damage(blob(digest));
  fs::remove_all(root() / "layers");  // so that it has to be unpacked again
  expect({"run", "busybox", "true"}, {digest, "corrupt", "import the image again"});
  expect({"image", "verify", "busybox"}, {digest});
}

TEST_F(BadInput, OfAFullDiskAtImport) {
  enter_own_mount_namespace();
  const auto before = names_in(root() / "images/blobs/sha256");
  ASSERT_EQ(::mount("tmpfs", root().c_str(), "tmpfs", 0, "size=600k"), 0);
  const auto result = twinbox({"image", "import", "busybox", image_source()});
  EXPECT_EQ(result.status, 125);
  EXPECT_NE(result.err.find("No space left on device"), std::string::npos) << result.err;
  EXPECT_EQ(names_in(root() / "work"), Words{});
  EXPECT_EQ(names_in(root() / "images/blobs/sha256"), Words{});
  ASSERT_EQ(::umount(root().c_str()), 0);
  EXPECT_EQ(names_in(root() / "images/blobs/sha256"), before);
}

TEST_F(BadInput, OfAFullDiskAtRun) {
  enter_own_mount_namespace();
  const auto small = scratch() / "small";
  fs::create_directory(small);
  ASSERT_EQ(::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=64m"), 0);
  fs::copy(root(), small, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  ASSERT_EQ(::mount(small.c_str(), root().c_str(), nullptr, MS_MOVE, nullptr), 0);
  ASSERT_EQ(twinbox({"run", "--rm", "busybox", "true"}).status, 0);
  std::ofstream filler(root() / "filler");
  const std::string block(1 << 16, 'x');
  while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  while (filler.clear(), filler.put('x').flush()) continue;
  const auto result = twinbox({"run", "--rm", "busybox", "true"});
  EXPECT_EQ(result.status, 125) << result.out;
  EXPECT_NE(result.err.find("No space left on device"), std::string::npos) << result.err;
  EXPECT_EQ(names_in(root() / "boxes"), Words{});
  filler.close();
  fs::remove(root() / "filler");
  EXPECT_EQ(twinbox({"run", "--rm", "busybox", "true"}).status, 0)
      << "with room again, it runs again";
}

bool processor_virtualizes() {
  std::istringstream words(base::read_file("/proc/cpuinfo"));
  for (std::string word; words >> word;) {
    if (word == "vmx" || word == "svm") return true;
  }
  return false;
}

TEST_F(BadInput, OfAMachineOnKvmWithoutVirtualizationNamesTheLab) {
  if (!fs::exists("/dev/kvm")) GTEST_SKIP() << "this host has no /dev/kvm";
  if (processor_virtualizes()) GTEST_SKIP() << "this host can run machines";
  expect_without_qemu({"run", "--as", "vm", "busybox", "echo", "hi"},
                      {"neither VT-x nor SVM", "qemu-system-x86",
                       "twinbox lab exec -- twinbox run --as vm busybox echo hi"});
}

// A /dev with what programs need, and without KVM.
void hide_kvm(const fs::path& scratch) {
  const auto dev = scratch / "dev";
  fs::create_directories(dev);
  ASSERT_EQ(::mount("tmpfs", dev.c_str(), "tmpfs", 0, "size=1m,mode=755"), 0);
  for (const std::string name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    struct stat status {};
    ASSERT_EQ(::stat(("/dev/" + name).c_str(), &status), 0);
    ASSERT_EQ(::mknod((dev / name).c_str(), S_IFCHR | 0666, status.st_rdev), 0);
  }
  ASSERT_EQ(::mount(dev.c_str(), "/dev", nullptr, MS_MOVE, nullptr), 0);
}

TEST_F(BadInput, OfAMachineWithoutKvmNamesTheLab) {
  enter_own_mount_namespace();
  hide_kvm(scratch());
  expect_without_qemu({"run", "--as", "vm", "busybox", "true"},
                      {"no /dev/kvm", "twinbox lab exec -- twinbox run --as vm busybox true"});
  EXPECT_EQ(twinbox({"run", "--rm", "busybox", "true"}).status, 0) << "containers need none";
  const auto doctor = twinbox({"doctor"});
  EXPECT_EQ(doctor.status, 0) << "containers can run";
  EXPECT_NE(doctor.out.find("warn  /dev/kvm"), std::string::npos) << doctor.out;
}

}  // namespace
}  // namespace twinbox::testing
