// What a comparison that is ended early leaves behind: its finished samples, and nothing else.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>

#include <cstdlib>
#include <set>

#include "base/error.hpp"
#include "compare/instance.hpp"
#include "tests/native/compare/compare_fixture.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Names = std::set<std::string>;

Names names_below(const fs::path& directory, const std::string& prefix) {
  Names names;
  for (const auto& name : base::names_in(directory)) {
    if (name.starts_with(prefix)) names.insert(name);
  }
  return names;
}

// Places of comparisons that have ended: one that runs holds a lock on its own.
Names workplaces() {
  auto names = names_below("/tmp", "twinbox-comparison-");
  std::erase_if(names, [](const auto& name) {
    const base::Fd place(::open(("/tmp/" + name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return !place || ::flock(place.get(), LOCK_SH | LOCK_NB) != 0;
  });
  return names;
}

// Processes of a comparison of this test's boxes.
Names marked_processes() {
  const auto own_root = fmt::format("TWINBOX_ROOT={}", ::getenv("TWINBOX_ROOT"));
  Names found;
  for (const auto& name : base::names_in("/proc")) {
    try {
      const auto environment = base::read_file(fs::path("/proc") / name / "environ");
      if (environment.find("TWINBOX_COMPARISON=") != std::string::npos &&
          environment.find(own_root) != std::string::npos) {
        found.insert(name);
      }
    } catch (const base::Error&) {  // no process, or one that has ended
    }
  }
  return found;
}

class Interruption : public CompareCommand {
 protected:
  // Its boxes would stay for long: they do not end with their input.
  std::vector<std::string> command(const std::string& engines) const {
    const auto plan = out().parent_path() / "plan.json";
    base::write_file(plan, fmt::format(R"({{"engines": [{}], "runs": 1, "warm_ups": 0,
      "idle_workload": {{"name": "idle", "command": ["sh", "-c", "echo ready; exec /bin/busybox sleep 500"]}},
      "load": {{"parallel": [], "beside": []}}, "density": {{"instances": 300}},
      "image_imports": 0}})",
                                       engines));
    return {twinbox_program(), "compare", "--here", "--out", out().string(), plan.string()};
  }
  // Runs it until some instances are there, and sends the signal then.
  int run_until_growing(const std::string& engines, int signal, std::string& errors) const {
    Instance run(command(engines), Instance::Input::none);
    int seen = 0;
    const auto end = run.finish(300s, [&](std::string_view line) {
      if (line.find("density: ") == std::string_view::npos) return;
      if (++seen == 6) ::kill(run.pid(), signal);
    });
    errors = run.errors();
    return end.status;
  }
  std::size_t boxes() const {
    return names_below(fs::path(::getenv("TWINBOX_ROOT")) / "boxes", "").size();
  }

  const Names before_ = workplaces();
  const Names marked_before_ = marked_processes();  // of another comparison on this host
};

TEST_F(Interruption, ByASignalCleansUpAtOnceAndSaysHowToGoOn) {
  for (const int signal : {SIGINT, SIGTERM}) {
    std::string errors;
    EXPECT_EQ(run_until_growing(R"("container")", signal, errors), 128 + signal);
    EXPECT_NE(errors.find("interrupted; 2 finished parts are kept"), std::string::npos) << errors;
    EXPECT_NE(errors.find("go on: twinbox compare --here --out"), std::string::npos) << errors;
    EXPECT_EQ(workplaces(), before_);
    EXPECT_EQ(marked_processes(), marked_before_);
    EXPECT_EQ(boxes(), 0U);
    // Nothing counts as failed that only ended with the comparison.
    EXPECT_EQ(base::read_file(out() / "journal.jsonl").find("message"), std::string::npos);
    fs::remove_all(out());
  }
}

TEST_F(Interruption, ByAKillIsCleanedUpByTheNextComparison) {
  const bool runc = base::run_command({"runc", "--version"}).status == 0;
  std::string errors;
  EXPECT_EQ(run_until_growing(runc ? R"("runc")" : R"("container")", SIGKILL, errors),
            128 + SIGKILL);
  EXPECT_GT(workplaces().size(), before_.size());
  fs::remove_all(out());

  // Another comparison than that one.
  const auto next = twinbox({"compare", "--here", "--engines", "process", "--runs", "1",
                             "--instances", "0", "--parallel", "none", "--beside", "none",
                             "--image-imports", "0", "--out", out().string()});
  ASSERT_EQ(next.status, 0) << next.err;
  EXPECT_EQ(workplaces(), before_);
  EXPECT_EQ(marked_processes(), marked_before_);
  EXPECT_EQ(boxes(), 0U);
  EXPECT_EQ(names_below("/run/runc", "twinbox-comparison-"), Names());
}

}  // namespace
}  // namespace twinbox::compare
