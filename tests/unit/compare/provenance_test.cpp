#include "compare/provenance.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

// A QEMU that is found before any other.
class EmulatorInPath {
 public:
  explicit EmulatorInPath(const std::filesystem::path& parent) : directory_(parent) {
    ::setenv("PATH", fmt::format("{}:{}", directory_.path().string(), path_).c_str(), 1);
  }
  EmulatorInPath(const EmulatorInPath&) = delete;
  EmulatorInPath& operator=(const EmulatorInPath&) = delete;
  ~EmulatorInPath() { ::setenv("PATH", path_.c_str(), 1); }
  void write(std::string_view text) const {
    const auto program = directory_.path() / "qemu-system-x86_64";
    base::write_file(program, text);
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  }

 private:
  base::TemporaryDirectory directory_;
  std::string path_ = ::getenv("PATH");
};

class Provenance : public ::testing::Test {
 protected:
  Provenance() {
    ::setenv("TWINBOX_ROOT", (directory_.path() / "data").c_str(), 1);
    ::setenv("TWINBOX_BIN", directory_.path().c_str(), 1);
    write("twinbox", "one build");
    write("data/kernels/stock/vmlinuz", "one kernel");
    store_image("sha256:1");
    plan_.engines = {"process", "vm"};
  }
  ~Provenance() override {
    ::unsetenv("TWINBOX_BIN");
    ::unsetenv("TWINBOX_ROOT");
  }
  void write(const std::string& file, const std::string& text) const {
    base::make_directories((directory_.path() / file).parent_path());
    base::write_file(directory_.path() / file, text);
  }
  void store_image(const std::string& digest) const {
    write("data/images/index.json", R"({"manifests": [{"digest": ")" + digest + R"(",
      "annotations": {"org.opencontainers.image.ref.name": "busybox"}}]})");
  }
  std::vector<Fact> now(bool lab = false) const { return provenance(plan_, divide(plan_, lab)); }
  // What tells `then` from now.
  std::string difference(const std::vector<Fact>& then) const {
    return fmt::format("{}", fmt::join(differences(then, now()), "\n"));
  }

  base::TemporaryDirectory directory_;
  Plan plan_;
};

TEST_F(Provenance, IsTheSameAgain) { EXPECT_EQ(difference(now()), ""); }

TEST_F(Provenance, NamesAnImageThatWasImportedAgain) {
  const auto then = now();
  store_image("sha256:2");
  EXPECT_EQ(difference(then), "image busybox: sha256:1 then, sha256:2 now");
}

TEST_F(Provenance, NamesAnotherKernelOfMachines) {
  const auto then = now();
  write("data/kernels/stock/vmlinuz", "another kernel");
  EXPECT_TRUE(difference(then).starts_with("kernel of vm: sha256:")) << difference(then);
}

TEST_F(Provenance, NamesAnotherBuild) {
  const auto then = now();
  write("twinbox", "another build");
  EXPECT_TRUE(difference(then).starts_with("program twinbox: sha256:")) << difference(then);
}

TEST_F(Provenance, TellsTheLabFromThisHost) {
  const auto found = difference(now(true));
  EXPECT_NE(found.find("process is measured in: the lab then, this host now\n"), std::string::npos)
      << found;
}

// The lab's processor is QEMU's: with another one its samples are others.
TEST_F(Provenance, NamesAnotherEmulatorOfTheLab) {
  const EmulatorInPath emulator(directory_.path());
  emulator.write("one emulator");
  const auto then = now(true);
  const auto then_here = now(false);
  emulator.write("another emulator");
  const auto found = fmt::format("{}", fmt::join(differences(then, now(true)), "\n"));
  EXPECT_TRUE(found.starts_with("emulator of the lab: sha256:")) << found;
  EXPECT_EQ(difference(then_here), "") << "this host's samples have nothing of it";
}

// What does not reach the samples must not keep them from going on.
TEST_F(Provenance, OfTheLabIgnoresThisHost) {
  EXPECT_EQ(fact(now(true), "processor of this host"), "");
  EXPECT_NE(fact(now(false), "processor of this host"), "");
}

}  // namespace
}  // namespace twinbox::compare
