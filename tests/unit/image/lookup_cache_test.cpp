#include "image/lookup_cache.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

class LookupCacheTest : public testing::Test {
 protected:
  fs::path later() const { return directory_.path() / "later"; }
  fs::path kept() const { return directory_.path() / "cache/tools%shell:1"; }

  // The shell is old enough to be trusted, which this program, just built, is not; and what is not
  // there yet has not changed.
  void keep() const {
    Witnesses witnesses;
    witnesses.add("/bin/sh");
    witnesses.add(later());
    cache_.keep(name_, image_, witnesses);
  }

  base::TemporaryDirectory directory_;
  LookupCache cache_{directory_.path() / "cache"};
  std::string name_ = "tools/shell:1";
  FoundImage image_{.id = "sha256:1",
                    .config = {.env = {"A=1", "B="},
                               .entrypoint = {"run"},
                               .command = {"me", ""},
                               .working_directory = "/w",
                               .user = "u:g",
                               .stop_signal = "SIGINT",
                               .labels = {{"k", "v"}, {"l", ""}},
                               .created = "2026-01-01T00:00:00Z",
                               .diff_ids = {"sha256:2", "sha256:3"}}};
};

TEST_F(LookupCacheTest, TellsAllOfAnImageAgain) {
  EXPECT_FALSE(cache_.find(name_));
  keep();
  const auto found = cache_.find(name_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, image_.id);
  EXPECT_EQ(to_json(found->config), to_json(image_.config));
  EXPECT_FALSE(cache_.find("tools%shell:1")) << "another name with the same file";
}

TEST_F(LookupCacheTest, ForgetsWhenAWitnessChanges) {
  keep();
  base::write_file(later(), "now it is");
  EXPECT_FALSE(cache_.find(name_));
}

TEST_F(LookupCacheTest, ForgetsWhenItIsTold) {
  keep();
  cache_.forget(name_);
  EXPECT_FALSE(cache_.find(name_));
}

TEST_F(LookupCacheTest, KeepsNothingOfAFileThatMayChangeOnceMoreUnnoticed) {
  base::write_file(later(), "just now");
  keep();
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(LookupCacheTest, BelievesNoDamagedFile) {
  keep();
  const auto whole = base::read_file(kept());
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    base::write_file(kept(), damaged);
    EXPECT_FALSE(cache_.find(name_)) << at;
    base::write_file(kept(), whole.substr(0, at));
    EXPECT_FALSE(cache_.find(name_)) << at;
  }
}

}  // namespace
}  // namespace twinbox::image
