#include "container/command_lookup.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.hpp"
#include "container/handshake.hpp"

namespace twinbox::container {
namespace {

namespace fs = std::filesystem;

using Paths = std::vector<std::string>;

TEST(CommandLookup, APathIsItsOwnOnlyCandidate) {
  EXPECT_EQ(command_candidates("./tool", {"PATH=/bin"}), Paths{"./tool"});
  EXPECT_EQ(command_candidates("/bin/tool", {"PATH=/usr/bin"}), Paths{"/bin/tool"});
}

TEST(CommandLookup, ANameIsLookedForAlongThePath) {
  EXPECT_EQ(command_candidates("tool", {"HOME=/", "PATH=/a:/b"}), (Paths{"/a/tool", "/b/tool"}));
  EXPECT_EQ(command_candidates("tool", {"PATH=/a", "PATH=/b"}), Paths{"/b/tool"});
}

TEST(CommandLookup, AnEmptyPartIsTheWorkingDirectory) {
  EXPECT_EQ(command_candidates("tool", {"PATH=:/b"}), (Paths{"./tool", "/b/tool"}));
}

TEST(CommandLookup, WithoutAPathDockersDefaultCounts) {
  const auto candidates = command_candidates("tool", {});
  EXPECT_EQ(candidates.front(), "/usr/local/sbin/tool");
  EXPECT_EQ(candidates.back(), "/bin/tool");
}

class FindCommand : public ::testing::Test {
 protected:
  std::string file(const std::string& name, int mode) const {
    const auto path = directory_.path() / name;
    fs::create_directories(path.parent_path());
    base::write_file(path, "#!/bin/sh\n");
    fs::permissions(path, fs::perms(mode));
    return path;
  }
  Paths path(const std::string& parts) const {
    Paths environment{"PATH="};
    for (const char letter : parts) {
      environment[0] += (environment[0].size() > 5 ? ":" : "") +
                        (directory_.path() / std::string(1, letter)).string();
    }
    return environment;
  }
  int failure_status(const std::string& command, const Paths& environment) const {
    try {
      find_command(command, environment);
    } catch (const Failure& failure) {
      return failure.status;
    }
    return 0;
  }

  base::TemporaryDirectory directory_;
};

TEST_F(FindCommand, PassesOverWhatCannotBeExecuted) {
  file("a/tool", 0644);
  const auto wanted = file("b/tool", 0755);

  EXPECT_EQ(find_command("tool", path("ab")), wanted);
}

TEST_F(FindCommand, TellsNotThereFromNotExecutable) {
  file("a/tool", 0644);
  fs::create_directories(directory_.path() / "a/directory");

  EXPECT_EQ(failure_status("missing", path("ab")), 127);
  EXPECT_EQ(failure_status("tool", path("ab")), 126);
  EXPECT_EQ(failure_status("directory", path("a")), 126);
  EXPECT_EQ(failure_status((directory_.path() / "a/tool/below").string(), {}), 127);
  EXPECT_EQ(failure_status("", path("a")), 127);
}

}  // namespace
}  // namespace twinbox::container
