// The image's import into the engines' stores, as lines of a report.
#include <map>

#include "compare/image_import.hpp"
#include "compare/summary.hpp"
#include "tests/native/compare/compare_fixture.hpp"

namespace twinbox::compare {
namespace {

class Images : public CompareCommand {
 protected:
  base::CommandResult compare(const std::string& engines) const {
    const auto plan = out().parent_path() / "my-plan.json";
    base::write_file(plan, R"({"engines": [)" + engines + R"(], "runs": 1, "warm_ups": 0,
      "load": {"parallel": [], "beside": []}, "density": {"instances": 0}, "image_imports": 2})");
    return twinbox({"compare", "--here", "--out", out().string(), plan.string()});
  }
};

double value_of(const Summary& summary, const std::string& metric, const std::string& engine) {
  for (const auto& item : summary.figures) {
    if (item.metric != metric || item.engine != engine) continue;
    EXPECT_EQ(item.figure.count, 2);
    return item.figure.median;
  }
  ADD_FAILURE() << "no " << metric << " of " << engine;
  return 0;
}

std::string setting_of(const Result& result, const std::string& engine, const std::string& name) {
  for (const auto& setting : result.find_engine(engine)->settings) {
    if (setting.name == name) return setting.value;
  }
  return {};
}

TEST_F(Images, AreImportedAndConvertedForEveryEngineWithAStore) {
  const auto run =
      compare(R"("process", "container", {"name": "mine", "command": ["env", "{args}"]})");
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_NE(run.out.find("image import, busybox"), std::string::npos) << run.out;
  const auto result = report();
  EXPECT_TRUE(result.failures.empty()) << result.failures.front().message;
  const auto summary = summarise(result);
  for (const auto* const engine : {"process", "container"}) {
    const auto conversion = value_of(summary, conversion_metric, engine);
    EXPECT_GT(conversion, 0) << engine;
    EXPECT_GT(value_of(summary, import_metric, engine), conversion) << engine;
    EXPECT_EQ(setting_of(result, engine, "image import"), "");
  }
  // What has no store has no figure, and says why.
  for (const auto& item : summary.figures)
    EXPECT_FALSE(is_image_metric(item.metric) && item.engine == "mine");
  EXPECT_EQ(setting_of(result, "mine", "image import"),
            "not measured: a template tells of no store");
  // The headlines are about boxes.
  for (const auto& verdict : summary.verdicts) {
    EXPECT_EQ(verdict.find("mage import"), std::string::npos) << verdict;
  }
}

TEST_F(Images, AreLoadedByPodmanIntoAStoreWithoutThem) {
  if (base::find_program("podman").empty()) GTEST_SKIP() << "podman is not installed";
  const auto run = compare(R"("process", "podman")");
  ASSERT_EQ(run.status, 0) << run.err;
  const auto result = report();
  for (const auto& failure : result.failures) {
    if (failure.stage == "preparation" || failure.stage == "start-up") {
      GTEST_SKIP() << "podman does not run here: " << failure.message;
    }
    ADD_FAILURE() << failure.stage << ": " << failure.message;
  }
  const auto summary = summarise(result);
  EXPECT_GT(value_of(summary, import_metric, "podman"), 0);
  for (const auto& item : summary.figures) {
    EXPECT_FALSE(item.metric == conversion_metric && item.engine == "podman");
  }
  EXPECT_NE(setting_of(result, "podman", "image conversion").find("not known"), std::string::npos);
  EXPECT_EQ(base::run_command({"podman", "images", "--quiet", "--filter",
                               "reference=localhost/twinbox-compare/*"})
                .out,
            "");
}

}  // namespace
}  // namespace twinbox::compare
