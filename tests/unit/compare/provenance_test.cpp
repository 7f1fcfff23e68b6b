#include "compare/provenance.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

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

// What does not reach the samples must not keep them from going on.
TEST_F(Provenance, OfTheLabIgnoresThisHost) {
  EXPECT_EQ(fact(now(true), "processor of this host"), "");
  EXPECT_NE(fact(now(false), "processor of this host"), "");
}

}  // namespace
}  // namespace twinbox::compare
