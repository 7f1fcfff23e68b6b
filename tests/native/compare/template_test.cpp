// The plan that docs/ gives for engines of others, as far as it runs here.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/json.hpp"
#include "compare/audit.hpp"
#include "compare/summary.hpp"
#include "sandbox/paths.hpp"
#include "tests/native/compare/compare_fixture.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

// Of the data that was provided, before the fixture sets up its own.
const fs::path tuned_kernel = sandbox::data_root() / "kernels/tuned/vmlinux";

// With an emulated processor in place of KVM's, and the kernel that is here.
std::string adapted(std::string plan) {
  const auto replace = [&](const std::string& part, const std::string& with) {
    const auto at = plan.find(part);
    ASSERT_NE(at, std::string::npos) << part;
    plan.replace(at, part.size(), with);
  };
  replace(R"("-accel", "kvm", "-cpu", "host")", R"("-accel", "tcg", "-cpu", "max")");
  replace("/var/lib/twinbox/kernels/tuned/vmlinux", tuned_kernel.string());
  replace("scripts/make-initrd", TWINBOX_SOURCE "/scripts/make-initrd");
  replace(R"("density")", R"("runs": 2, "warm_ups": 0, "image_imports": 0, "density")");
  return plan;
}

TEST_F(CompareCommand, TakesAContainerAndAMachineFromTemplates) {
  if (!fs::exists(tuned_kernel)) GTEST_SKIP() << "there is no " << tuned_kernel;
  const auto plan = out().parent_path() / "other-engines.json";
  base::write_file(plan, adapted(base::read_file(TWINBOX_SOURCE "/docs/plans/other-engines.json")));
  const auto run = twinbox({"compare", "--here", "--out", out().string(), plan.string()});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto result = report();
  for (const auto& failure : result.failures) ADD_FAILURE() << failure.message;
  const auto summary = summarise(result);
  for (const auto* const name : {"unshare", "qemu-microvm"}) {
    ASSERT_NE(summary.find(name), nullptr) << name;
    EXPECT_EQ(summary.find(name)->to_ready->count, 2) << name;
    EXPECT_FALSE(summary.find(name)->to_executed.has_value()) << "nobody told of the exec";
  }
  EXPECT_EQ(result.find_engine("qemu-microvm")->kind, BoxKind::machine);
  // Its workload writes to the serial port, and the report does not keep that to itself.
  const auto rows = audit(result, summary);
  const auto consoles = std::ranges::find(rows, "consoles off", &AuditRow::check);
  ASSERT_NE(consoles, rows.end());
  EXPECT_NE(consoles->state, AuditState::pass);
}

}  // namespace
}  // namespace twinbox::compare
