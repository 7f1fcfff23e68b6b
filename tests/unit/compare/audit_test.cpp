#include "compare/audit.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "compare/engines/adapter.hpp"
#include "compare/environment.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

AuditRow row_of(const Result& result, const std::string& check) {
  const auto rows = audit(result, summarise(result));
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const AuditRow& row) { return row.check == check; });
  return found == rows.end() ? AuditRow{"missing", AuditState::fail, ""} : *found;
}

void set_fact(Result& result, const std::string& name, const std::string& value) {
  for (auto& fact : result.hosts.front().facts) {
    if (fact.name == name) fact.value = value;
  }
}

TEST(Audit, PassesAFairComparison) {
  const auto result = sample_result();
  for (const auto& row : audit(result, summarise(result))) {
    EXPECT_EQ(row.state, AuditState::pass) << row.check << ": " << row.detail;
  }
}

void set(Result& result, const std::string& engine, const std::string& name,
         const std::string& value) {
  for (auto& described : result.engines) {
    if (described.name != engine) continue;
    std::erase_if(described.settings, [&](const Fact& fact) { return fact.name == name; });
    described.settings.push_back({name, value});
  }
}

// A second kind of machine beside the first.
Result with_two_machines() {
  auto result = sample_result();
  auto other = *result.find_engine("vm");
  other.name = "other-vm";
  result.engines.push_back(other);
  for (const auto* const engine : {"vm", "other-vm"}) {
    set(result, engine, "kernel", "tuned");
    set(result, engine, "kernel format", "vmlinux");
    set(result, engine, "kernel digest", "sha256:1");
  }
  return result;
}

TEST(Audit, PassesMachinesWithTheSameKernel) {
  EXPECT_EQ(row_of(with_two_machines(), "same kernel").state, AuditState::pass);
}

TEST(Audit, FailsABzImageAgainstAVmlinux) {
  auto result = with_two_machines();
  set(result, "other-vm", "kernel format", "bzImage");
  set(result, "other-vm", "kernel digest", "sha256:2");
  const auto row = row_of(result, "same kernel");
  EXPECT_EQ(row.state, AuditState::fail);
  EXPECT_NE(row.detail.find("other-vm: bzImage"), std::string::npos) << row.detail;
}

TEST(Audit, WarnsOfDifferentKernels) {
  auto result = with_two_machines();
  set(result, "other-vm", "kernel", "stock");
  set(result, "other-vm", "kernel digest", "sha256:2");
  EXPECT_EQ(row_of(result, "same kernel").state, AuditState::warn);
}

TEST(Audit, FailsDifferentNumbersOfCpus) {
  auto result = sample_result();
  set(result, "container", "cpus", "64");
  set(result, "vm", "cpus", "1");
  const auto row = row_of(result, "same budget");
  EXPECT_EQ(row.state, AuditState::fail);
  EXPECT_NE(row.detail.find("container: 64"), std::string::npos) << row.detail;
}

TEST(Audit, FailsDifferentMemoryButNotDifferentWaysToWriteIt) {
  auto result = sample_result();
  set(result, "container", "memory", "1g");
  set(result, "vm", "memory", "1024m");
  EXPECT_EQ(row_of(result, "same budget").state, AuditState::pass);
  set(result, "vm", "memory", "128m");
  EXPECT_EQ(row_of(result, "same budget").state, AuditState::fail);
}

TEST(Audit, WarnsOfAnEngineWithoutLimits) {
  auto result = sample_result();
  set(result, "container", "memory", "not limited");
  EXPECT_EQ(row_of(result, "same budget").state, AuditState::warn);
}

TEST(Audit, WarnsOfAnEngineWithoutLimitOfCpus) {
  auto result = sample_result();
  set(result, "container", "cpus", "not limited");
  const auto row = row_of(result, "same budget");
  EXPECT_EQ(row.state, AuditState::warn);
  EXPECT_NE(row.detail.find("container (cpus)"), std::string::npos) << row.detail;
}

TEST(Audit, FailsAnotherImageDigest) {
  auto result = sample_result();
  for (auto& engine : result.engines) engine.image_digest = "sha256:1";
  result.engines.back().image_digest = "sha256:2";
  EXPECT_EQ(row_of(result, "same image").state, AuditState::fail);
}

TEST(Audit, WarnsOfASerialConsole) {
  auto result = sample_result();
  for (auto& memory : result.memory) {
    if (memory.engine == "vm") memory.kernel_command_line = "console=ttyS0 quiet";
  }
  EXPECT_EQ(row_of(result, "consoles off").state, AuditState::warn);
}

TEST(Audit, FailsASerialConsoleOfOneMachineOnly) {
  auto result = with_two_machines();
  set(result, "other-vm", "console", "serial");
  EXPECT_EQ(row_of(result, "consoles off").state, AuditState::fail);
}

TEST(Audit, WarnsOfMarksThatAnEngineCannotGive) {
  auto result = sample_result();
  result.engines.back().missing_marks[sandbox::Mark::executed] = "it does not tell";
  EXPECT_EQ(row_of(result, "same marks").state, AuditState::warn);
}

TEST(Audit, WarnsOfARootThatIsMadeBeforehand) {
  auto result = sample_result();
  set(result, "container", "root", "mounted before the request");
  set(result, "container", "system call filter", "none");
  EXPECT_EQ(row_of(result, "same work").state, AuditState::warn);
}

TEST(Audit, WarnsOfWritesThatGoToDifferentPlaces) {
  auto result = sample_result();
  set(result, "container", "writable layer", "disk");
  set(result, "vm", "writable layer", "memory");
  EXPECT_EQ(row_of(result, "same storage").state, AuditState::warn);
}

TEST(Audit, NamesWhatIsAlikeWhereOnlyTmpIsInMemory) {
  auto result = sample_result();
  set(result, "container", "writable layer", writable_layer_but_tmp);
  set(result, "vm", "writable layer", "memory");
  const auto row = row_of(result, "same storage");
  EXPECT_EQ(row.state, AuditState::warn);
  EXPECT_NE(row.detail.find("written below /tmp"), std::string::npos) << row.detail;
}

TEST(Audit, WarnsOfTwoHostsAndLooksAtEach) {
  auto result = sample_result();
  result.hosts.push_back({"lab", HostKind::deterministic_lab, {}});
  result.engines.back().host = "lab";
  EXPECT_EQ(row_of(result, "one host").state, AuditState::warn);
  EXPECT_EQ(row_of(result, "host (lab)").state, AuditState::warn);
  EXPECT_EQ(row_of(result, "host (this host)").state, AuditState::pass);
}

TEST(Audit, WarnsWithoutANativeBaseline) {
  auto result = sample_result();
  result.plan.engines = {"container", "vm"};
  std::erase_if(result.engines, [](const Engine& engine) { return engine.name == "process"; });
  EXPECT_EQ(row_of(result, "native baseline").state, AuditState::warn);
}

TEST(Audit, WarnsOfAnUnknownDigest) {
  auto result = sample_result();
  for (auto& engine : result.engines) engine.image_digest.clear();
  EXPECT_EQ(row_of(result, "same image").state, AuditState::warn);
}

TEST(Audit, WarnsOfAnEmulatedHostAndOfANestedOne) {
  auto emulated = sample_result();
  emulated.hosts.front().kind = HostKind::deterministic_lab;
  EXPECT_NE(row_of(emulated, "host").detail.find("emulated"), std::string::npos);
  EXPECT_EQ(row_of(emulated, "host").state, AuditState::warn);
  auto nested = sample_result();
  set_fact(nested, "runs under a hypervisor", "yes");
  EXPECT_EQ(row_of(nested, "host").state, AuditState::warn);
}

TEST(Audit, WarnsOfABusyHost) {
  auto result = sample_result();
  set_fact(result, "load before", "3.20");
  EXPECT_EQ(row_of(result, "quiet host").state, AuditState::warn);
}

TEST(Audit, WarnsOfColdRuns) {
  auto result = sample_result();
  result.plan.warm_ups = 0;
  EXPECT_EQ(row_of(result, "page cache").state, AuditState::warn);
}

TEST(Audit, TellsAPageCacheThatIsColdForAll) {
  auto result = sample_result();
  result.plan.page_cache = PageCache::cold;
  const auto row = row_of(result, "page cache");
  EXPECT_EQ(row.state, AuditState::pass);
  EXPECT_TRUE(row.detail.starts_with("cold: dropped")) << row.detail;
  result.plan.settings["vm"] = {.engine = "docker"};
  EXPECT_EQ(row_of(result, "page cache").state, AuditState::warn) << "a daemon stays warm";
}

TEST(Audit, AsksForTheTimeThatWasStolenMeanwhile) {
  auto result = sample_result();
  set_fact(result, "stolen time", "3.10 %");  // since boot, by which nothing was measured
  result.hosts.front().facts.push_back({stolen_meanwhile, "0.02 %"});
  EXPECT_EQ(row_of(result, "no stolen time").state, AuditState::pass);
  set_fact(result, stolen_meanwhile, "2.00 %");
  EXPECT_EQ(row_of(result, "no stolen time").state, AuditState::warn);
}

TEST(Audit, WarnsOfPageMerging) {
  auto result = sample_result();
  set_fact(result, "same-page merging", "on");
  EXPECT_EQ(row_of(result, "no page merging").state, AuditState::warn);
}

TEST(Audit, WarnsOfTheHostsEnvironment) {
  const struct {
    const char* check;
    const char* fact;
    const char* value;
  } cases[]{{"no stolen time", "stolen time", "3.10 %"},
            {"no stolen time", "stolen time", "unknown"},
            {"mitigations", "mitigations", "meltdown: Vulnerable"},
            {"mitigations", "mitigations", "unknown"},
            {"control groups", "cgroup version", "1"},
            {"known processor", "microcode", "unknown"},
            {"known kernel", "transparent huge pages", "unknown"}};
  for (const auto& [check, fact, value] : cases) {
    auto result = sample_result();
    set_fact(result, fact, value);
    EXPECT_EQ(row_of(result, check).state, AuditState::warn) << fact << ": " << value;
  }
}

TEST(Audit, WarnsOfABlockThatDoesNotHoldEachEngineOnce) {
  auto result = sample_result();
  const auto lost = std::find_if(result.starts.begin(), result.starts.end(), [](const auto& start) {
    return start.block == 3 && start.engine == "vm";
  });
  ASSERT_NE(lost, result.starts.end());
  result.starts.erase(lost);
  const auto row = row_of(result, "interleaved runs");
  EXPECT_EQ(row.state, AuditState::warn);
  EXPECT_NE(row.detail.find(": 3"), std::string::npos) << row.detail;
  result.failures.push_back({"vm", "start-up", "it died"});
  EXPECT_EQ(row_of(result, "interleaved runs").state, AuditState::pass) << "it was left out";
}

TEST(Audit, FailsWhenAnEngineIsMissing) {
  auto result = sample_result();
  result.failures.push_back({"vm", "density", "it died"});
  EXPECT_EQ(row_of(result, "every engine measured").state, AuditState::fail);
}

TEST(Audit, WarnsOfUnstableMedians) {
  auto result = sample_result();
  std::uint64_t factor = 1;
  for (auto& sample : result.starts) {
    if (sample.engine != "container") continue;
    for (const auto mark : {sandbox::Mark::ready, sandbox::Mark::gone})
      sample.marks[mark] *= factor;
    ++factor;
  }
  EXPECT_EQ(row_of(result, "stable medians").state, AuditState::warn);
}

}  // namespace
}  // namespace twinbox::compare
