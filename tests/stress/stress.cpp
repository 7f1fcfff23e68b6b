#include "tests/stress/stress.hpp"

#include <fmt/format.h>

#include <thread>

#include "sandbox/paths.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

// Far beyond what anything takes, also for the last of fifty machines on one emulated processor.
constexpr std::chrono::minutes patience{15};

std::string list(const std::set<std::string>& from, const std::set<std::string>& without) {
  std::string text;
  for (const auto& name : from) {
    if (!without.contains(name)) text += name + "\n";
  }
  return text;
}

}  // namespace

StressPlan& plan() {
  static StressPlan the_plan;
  return the_plan;
}

// Images and kernels are the user's, boxes, names and events are this test's alone.
Stress::Stress() {
  fs::create_directories(root());
  for (const auto* const name : {"images", "layers", "kernels", "cache"}) {
    fs::create_directories(sandbox::data_root() / name);
    fs::create_directory_symlink(sandbox::data_root() / name, root() / name);
  }
  fs::create_directories(scratch() / "run");
  // Makes what is made once: directories, what QEMU can do, the initramfs.
  const auto first = twinbox(box({"run", "--rm", "--name", "first"}, {"busybox", "true"}));
  EXPECT_EQ(first.status, 0) << first.err;
  twinbox({"events", "--since", "1h", "--until", "0s"});
  before_ = leftovers_.store();
}

Stress::~Stress() {
  for (const auto& id : lines({"ps", "-aq"})) twinbox({"rm", "-f", id});
  twinbox({"snapshot", "prune"});
  std::error_code ignored;
  std::filesystem::remove_all(run_, ignored);
}

std::unique_ptr<Command> Stress::start(const Words& args) const {
  return std::make_unique<Command>(
      plan().twinbox, args,
      Words{"TWINBOX_ROOT=" + root().string(), "TWINBOX_RUN=" + run_.string()});
}

CommandResult Stress::twinbox(const Words& args) const { return start(args)->finish(patience); }

Words Stress::lines(const Words& args) const {
  const auto result = twinbox(args);
  EXPECT_EQ(result.status, 0) << fmt::format("{}", fmt::join(args, " ")) << ": " << result.err;
  Words found;
  for (std::size_t at = 0; at < result.out.size();) {
    const auto end = std::min(result.out.find('\n', at), result.out.size());
    found.push_back(result.out.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

Words Stress::box(Words verb, const Words& rest) {
  verb.insert(verb.end(), {"--as", plan().engine, "--memory", "80m"});
  verb.insert(verb.end(), rest.begin(), rest.end());
  return verb;
}

bool Stress::comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 600; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(i < 100 ? 10 : 100));
  }
  return false;
}

void Stress::remove_all_and_expect_nothing_left(const Words& ids) const {
  for (const auto& id : lines({"ps", "-aq"})) {
    const auto result = twinbox({"rm", "-f", id});
    EXPECT_EQ(result.status, 0) << result.err;
  }
  expect_nothing_left(ids);
}

void Stress::expect_nothing_left(const Words& ids) const {
  // A process that is killed ends a moment later; a command sweeps what it leaves.
  comes_true([&] {
    return lines({"ps", "-aq"}).empty() && leftovers_.processes().empty() &&
           leftovers_.store() == before_;
  });
  EXPECT_EQ(lines({"ps", "-aq"}), Words{});
  EXPECT_EQ(leftovers_.processes(), Words{});
  EXPECT_EQ(list(leftovers_.store(), before_), "") << "is left in the store";
  EXPECT_EQ(list(before_, leftovers_.store()), "") << "is missing in the store";
  EXPECT_EQ(Leftovers::control_groups(ids), Words{});
  EXPECT_FALSE(leftovers_.mounted());
}

}  // namespace twinbox::testing
