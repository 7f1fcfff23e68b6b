#include "image/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::image {
namespace {

using Words = std::vector<std::string>;

class Workload : public testing::Test {
 protected:
  Workload() {
    image_.name = "sample";
    image_.root.directories.push_back(directory_.path());
    std::filesystem::create_directory(directory_.path() / "etc");
    base::write_file(directory_.path() / "etc/passwd",
                     "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv:/bin/sh\n");
  }

  static std::size_t count(const Words& env, std::string_view start) {
    return static_cast<std::size_t>(std::ranges::count_if(
        env, [&](const std::string& variable) { return variable.starts_with(start); }));
  }

  base::TemporaryDirectory directory_;
  PreparedImage image_;
};

TEST_F(Workload, RunsTheImagesOwnCommandUnlessAnotherIsGiven) {
  image_.config.entrypoint = {"/entry"};
  image_.config.command = {"default"};
  EXPECT_EQ(make_workload(image_, {}).process.args, (Words{"/entry", "default"}));
  WorkloadOptions options;
  options.command = {"a", "b"};
  EXPECT_EQ(make_workload(image_, options).process.args, (Words{"/entry", "a", "b"}));
  image_.config.entrypoint.clear();
  EXPECT_EQ(make_workload(image_, options).process.args, (Words{"a", "b"}));
}

TEST_F(Workload, LosesTheImagesCommandWithItsEntrypoint) {
  image_.config.entrypoint = {"/entry"};
  image_.config.command = {"default"};
  WorkloadOptions options;
  options.entrypoint = "/other";
  EXPECT_EQ(make_workload(image_, options).process.args, Words{"/other"});
  options.entrypoint = "";
  EXPECT_THROW(make_workload(image_, options), base::Error) << "nothing is left to run";
  options.command = {"a"};
  EXPECT_EQ(make_workload(image_, options).process.args, Words{"a"});
}

TEST_F(Workload, WithoutACommandSaysHowToGiveOne) {
  try {
    make_workload(image_, {});
    FAIL() << "an image without a command was accepted";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("no command"), std::string::npos);
    EXPECT_NE(error.hint().find("twinbox run sample"), std::string::npos);
  }
}

TEST_F(Workload, LaysTheUsersVariablesOverTheImages) {
  image_.config.env = {"PATH=/image", "MODE=image", "KEPT=1"};
  WorkloadOptions options;
  options.command = {"true"};
  options.env = {"MODE=user", "NEW=2"};
  const auto env = make_workload(image_, options).process.env;
  for (const auto* const variable : {"PATH=/image", "MODE=user", "KEPT=1", "NEW=2", "HOME=/root"}) {
    EXPECT_EQ(std::ranges::count(env, variable), 1) << variable;
  }
  EXPECT_EQ(count(env, "MODE="), 1U);
  EXPECT_EQ(count(env, "PATH="), 1U);
}

TEST_F(Workload, TakesUserHomeAndDirectory) {
  image_.config.user = "web";
  image_.config.working_directory = "/srv/www";
  WorkloadOptions options;
  options.command = {"true"};
  const auto own = make_workload(image_, options).process;
  EXPECT_EQ(own.user.uid, 33U);
  EXPECT_EQ(own.cwd, "/srv/www");
  EXPECT_EQ(count(own.env, "HOME=/srv"), 1U);
  options.user = "0";
  options.working_directory = "/tmp";
  const auto given = make_workload(image_, options).process;
  EXPECT_EQ(given.user.uid, 0U);
  EXPECT_EQ(given.cwd, "/tmp");
}

}  // namespace
}  // namespace twinbox::image
