// Workloads of the catalogue in real boxes: each runs, and its figure is found in what it prints.
#include <map>

#include "tests/native/compare/compare_fixture.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

class Workloads : public CompareCommand {
 protected:
  // As scripts/make-workload-image makes it, with nothing but the program.
  void import_work_image() const {
    const auto root = out().parent_path() / "work-image";
    for (const auto* const name : {"bin", "dev", "etc", "proc", "sys", "tmp"}) {
      fs::create_directories(root / name);
    }
    fs::copy_file(fs::path(twinbox_program()).parent_path() / "twinbox-work",
                  root / "bin/twinbox-work");
    const auto imported = twinbox({"image", "import", "twinbox-work", root.string()});
    ASSERT_EQ(imported.status, 0) << imported.err;
  }
};

TEST_F(Workloads, GiveTheirFiguresInEveryKindOfBox) {
  import_work_image();
  const auto plan = out().parent_path() / "plan.json";
  base::write_file(plan, R"({"engines": ["process", "container"], "runs": 1, "warm_ups": 0,
    "workloads": ["syscalls", "processes", "page-touch", "tlb"], "workload_runs": 1,
    "density": {"instances": 0}, "load": {"parallel": [], "beside": []}, "image_imports": 0})");
  const auto run = twinbox({"compare", "--here", "--out", out().string(), plan.string()});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto result = report();
  EXPECT_TRUE(result.failures.empty()) << result.failures.front().message;
  std::map<std::string, int> figures;
  for (const auto& measured : result.measurements) {
    EXPECT_GT(measured.value, 0) << measured.metric << " in " << measured.engine;
    if (measured.engine != "container-again" && !measured.warm_up) ++figures[measured.metric];
  }
  // One run of each on both engines.
  EXPECT_EQ(figures, (std::map<std::string, int>{
                         {"syscalls", 2}, {"processes", 2}, {"page-touch", 2}, {"tlb", 2}}));
}

}  // namespace
}  // namespace twinbox::compare
