#include "compare/journal.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/environment.hpp"
#include "compare/result_parts.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

struct Unmounted {
  std::filesystem::path place;
  ~Unmounted() { ::umount2(place.c_str(), MNT_DETACH); }
};

class Journals : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.path() / "journal.jsonl"; }
  static Result start(int block) {
    Result part;
    part.starts.push_back(sample_result().starts.front());
    part.starts.back().block = block;
    return part;
  }

  base::TemporaryDirectory directory_;
  JournalHead head_{{},
                    {{"image busybox", "sha256:1"}, {"vm is measured in", "the lab"}},
                    "2026-11-28T12:00:00Z",
                    {{"load before", "0.10"}}};
};

TEST_F(Journals, GiveBackWhatWasFinished) {
  const auto all = sample_result();
  { JournalFile(file(), head_).append(part_line(all)); }
  const JournalFile again(file(), head_);
  EXPECT_EQ(write_samples(again.finished()), write_samples(all));
}

TEST_F(Journals, DropALineThatIsNotWhole) {
  {
    JournalFile journal(file(), head_);
    journal.append(part_line(start(0)));
    journal.append(part_line(start(1)));
  }
  const auto text = base::read_file(file());
  const auto first_two = text.find('\n', text.find('\n') + 1) + 1;
  // Cut anywhere within the last line.
  for (const auto length : {first_two, first_two + 1, text.size() - 2, text.size() - 1}) {
    base::write_file(file(), text.substr(0, length));
    {
      JournalFile journal(file(), head_);
      ASSERT_EQ(journal.finished().starts.size(), 1U) << length;
      journal.append(part_line(start(1)));
    }
    EXPECT_EQ(base::read_file(file()), text);
  }
}

TEST_F(Journals, BeginAnewWhenNotEvenThePlanIsWhole) {
  base::write_file(file(), "{\"plan\"");
  JournalFile journal(file(), head_);
  EXPECT_TRUE(journal.finished().starts.empty());
  journal.append(part_line(start(0)));
  EXPECT_TRUE(base::read_file(file()).starts_with("{\"facts\":["));
}

TEST_F(Journals, AreOfOnePlan) {
  { const JournalFile journal(file(), head_); }
  head_.plan.seed = 2;
  try {
    const JournalFile journal(file(), head_);
    FAIL() << "it was taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
    EXPECT_NE(error.message().find("another plan"), std::string::npos);
  }
}

TEST_F(Journals, AreOfOneProvenance) {
  { const JournalFile journal(file(), head_); }
  head_.provenance = {{"image busybox", "sha256:2"},
                      {"vm is measured in", "the lab"},
                      {"processor of this host", "Z80"}};
  try {
    const JournalFile journal(file(), head_);
    FAIL() << "it was taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
    EXPECT_NE(error.message().find("(image busybox: sha256:1 then, sha256:2 now; processor of this "
                                   "host: none then, Z80 now)"),
              std::string::npos)
        << error.message();
    EXPECT_NE(error.hint().find("finish it as it was begun"), std::string::npos);
  }
}

TEST_F(Journals, KeepWhenTheComparisonWasBegun) {
  { const JournalFile journal(file(), head_); }
  head_.measured_at = "2026-11-29T12:00:00Z";
  head_.facts = {{"load before", "7.00"}};
  Result result;
  result.hosts = {
      {"this host", HostKind::native, {{"load before", "7.00"}, {stolen_meanwhile, "0.03 %"}}}};
  JournalFile(file(), head_).head().date(result);
  EXPECT_EQ(result.measured_at, "2026-11-28T12:00:00Z");
  EXPECT_EQ(result.hosts[0].facts.at(0).value, "0.10");
  // Of when it was measured, which was not over when it was begun.
  EXPECT_EQ(fact(result.hosts[0].facts, stolen_meanwhile), "0.03 %");
}

TEST_F(Journals, LoseNothingOnAFullDisk) {
  if (::geteuid() != 0 ||
      ::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, "size=16k") != 0) {
    GTEST_SKIP() << "mounting takes root privileges";
  }
  const Unmounted unmounted{directory_.path()};
  std::size_t kept = 0;
  {
    JournalFile file_of_journal(file(), head_);
    Journal journal({}, [&](const std::string& line) { file_of_journal.append(line); });
    auto part = start(0);
    part.failures.push_back({"vm", "start-up", std::string(1500, 'x')});
    try {
      for (; kept < 100; ++kept) journal.append(part);
      FAIL() << "it has room for all";
    } catch (const base::Error& error) {
      EXPECT_NE(error.message().find("finished samples cannot be kept"), std::string::npos);
      EXPECT_NE(error.message().find("No space left"), std::string::npos) << error.message();
    }
    EXPECT_EQ(journal.finished().starts.size(), kept);
    // A shorter line that there is room for must not follow a part of the longer one.
    part.failures.clear();
    journal.append(part);
  }
  const JournalFile again(file(), head_);
  EXPECT_EQ(again.finished().starts.size(), kept + 1);
}

TEST_F(Journals, HaveOneWriter) {
  const JournalFile journal(file(), head_);
  EXPECT_THROW(JournalFile(file(), head_), base::Error);
}

TEST_F(Journals, ThatAreDamagedNameTheLine) {
  {
    JournalFile journal(file(), head_);
    journal.append("{\"starts\": [{}]}\n");
  }
  try {
    const JournalFile journal(file(), head_);
    FAIL() << "it was taken";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("line 2.starts[0]: the field 'engine'"), std::string::npos)
        << error.message();
  }
}

TEST(SamplesOf, LeavesOtherEnginesOut) {
  const auto part = samples_of(sample_result(), {"vm"});
  ASSERT_FALSE(part.starts.empty());
  for (const auto& sample : part.starts) EXPECT_EQ(sample.engine, "vm");
  EXPECT_EQ(part.density.size(), 1U);
}

}  // namespace
}  // namespace twinbox::compare
