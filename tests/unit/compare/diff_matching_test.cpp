#include "compare/diff_matching.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/unit/compare/diff_support.hpp"

namespace twinbox::compare {
namespace {

TEST(DiffMatching, DoesNotCompareAnEngineWithAnotherConfiguration) {
  using Alter = void (*)(Engine&);
  const std::vector<std::pair<Alter, std::string>> cases{
      {[](Engine& engine) { engine.command.emplace_back("--privileged"); }, "command: "},
      {[](Engine& engine) { engine.kind = BoxKind::container; }, "kind: "},
      {[](Engine& engine) { engine.image_digest = "sha256:other"; }, "image: "},
      {[](Engine& engine) {
         engine.settings.push_back({"seccomp", "off"});
       },
       "seccomp: nothing and 'off'"},
      {[](Engine& engine) { engine.settings.pop_back(); }, "nothing"}};
  for (const auto& [alter, why] : cases) {
    auto after = no_growth();
    for (auto& engine : after.engines) {
      if (engine.name == "vm") alter(engine);
    }
    const auto found = diff(no_growth(), after, {});
    EXPECT_EQ(find(found, "start-up", "vm"), nullptr) << why;
    EXPECT_TRUE(mentions(found.unmatched, "start-up, start-up, vm: ")) << why;
    EXPECT_TRUE(mentions(found.unmatched, why)) << why;
  }
}

TEST(DiffMatching, NamesOfBoxesAreNoConfiguration) {
  auto before = no_growth();
  auto after = no_growth();
  for (auto& engine : before.engines) {
    engine.command = {"/old/twinbox", "--marks",
                      "/tmp/twinbox-comparison-aB1/twinbox-comparison-aB1-2.marks"};
  }
  for (auto& engine : after.engines) {
    engine.command = {"/new/twinbox", "--marks",
                      "/tmp/twinbox-comparison-xY2/twinbox-comparison-xY2-9.marks"};
  }
  EXPECT_NE(find(diff(before, after, {}), "start-up", "vm"), nullptr);
}

TEST(DiffMatching, DoesNotCompareWhatWasMeasuredInAnotherWay) {
  auto after = no_growth();
  after.plan.load.launches += 8;
  const auto found = diff(no_growth(), after, {});
  EXPECT_EQ(find(found, "launch rate", "vm"), nullptr);
  EXPECT_TRUE(mentions(found.unmatched, "launches: "));
  EXPECT_NE(find(found, "start-up", "vm"), nullptr);
}

TEST(DiffMatching, DoesNotCompareWhatIsDefinedInAnotherWay) {
  auto after = no_growth();
  after.metrics.at(0).definition = "Requests in a pipeline.";
  for (auto& engine : after.engines) {
    if (engine.name == "container") engine.settings = {{"cpus", "2"}, {"memory", "128m"}};
  }
  const auto found = diff(no_growth(), after, {});
  EXPECT_EQ(find(found, "requests", "vm"), nullptr);
  EXPECT_EQ(find(found, "start-up", "container"), nullptr);
  EXPECT_NE(find(found, "random read", "vm"), nullptr);
  EXPECT_TRUE(mentions(found.unmatched, "defined in another way"));
  EXPECT_TRUE(mentions(found.unmatched, "cpus: '1' and '2'"));
}

TEST(DiffMatching, DoesNotCompareMemoryBesideAnotherNumberOfInstances) {
  auto after = no_growth();
  std::erase_if(after.memory, [](const auto& memory) { return memory.running == 8; });
  const auto found = diff(no_growth(), after, {});
  EXPECT_EQ(find(found, "memory of one instance", "vm"), nullptr);
  EXPECT_TRUE(mentions(found.unmatched, "measured while 8 and 1 ran"));
}

}  // namespace
}  // namespace twinbox::compare
