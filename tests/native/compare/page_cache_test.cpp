// Starts with a cold page cache, on the host's own.
#include "compare/page_cache.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "tests/native/compare/compare_fixture.hpp"

namespace twinbox::compare {
namespace {

// A file on the disk, all of which is in the page cache.
class CachedFile {
 public:
  CachedFile() : directory_(TWINBOX_BUILD_DIRECTORY) {
    base::write_file(path(), std::string(size, 'x'));
    const auto file = base::open_file(path(), O_RDONLY);
    base::sync_data(file.get());
    base::read_to_end(file.get());
  }

  // Pages of it that are there.
  std::size_t cached() const {
    const auto file = base::open_file(path(), O_RDONLY);
    void* const place = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    std::vector<unsigned char> pages(size / 4096);
    const int status = place == MAP_FAILED ? -1 : ::mincore(place, size, pages.data());
    ::munmap(place, size);
    if (status != 0) base::throw_errno("cannot tell what is cached of {}", path());
    return static_cast<std::size_t>(
        std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; }));
  }

 private:
  static constexpr std::size_t size = 4 * base::mebibyte;
  std::string path() const { return directory_.path() / "cached"; }

  base::TemporaryDirectory directory_;
};

class PageCacheOf : public CompareCommand {
 protected:
  int compare(const char* cache) {
    const auto run =
        twinbox({"compare",    "--here",       "--engines", "process",     "--runs",
                 "1",          "--warm-ups",   "0",         "--instances", "0",
                 "--parallel", "none",         "--beside",  "none",        "--image-imports",
                 "0",          "--page-cache", cache,       "--out",       out().string()});
    EXPECT_EQ(run.status, 0) << run.err;
    return run.status;
  }
};

TEST_F(PageCacheOf, AColdComparisonIsDropped) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may drop it";
  const CachedFile file;
  ASSERT_EQ(file.cached(), 1024U);
  ASSERT_EQ(compare("cold"), 0);
  EXPECT_LT(file.cached(), 100U);
  EXPECT_NE(base::read_file(out() / "report.md").find("cold page cache"), std::string::npos);
  // Not the program that measures, which is mapped and so stays.
  const auto command = report().engines.front().command;
  EXPECT_TRUE(command.front().starts_with("/tmp/twinbox-comparison-")) << command.front();
}

TEST_F(PageCacheOf, AWarmComparisonStays) {
  const CachedFile file;
  ASSERT_EQ(compare("warm"), 0);
  EXPECT_EQ(file.cached(), 1024U);
}

TEST(PageCache, CannotBeColdOfWhatIsInMemory) {
  EXPECT_THROW(check_is_on_storage("/dev/shm"), base::Error);
  EXPECT_NO_THROW(check_is_on_storage(TWINBOX_BUILD_DIRECTORY));
}

TEST_F(PageCacheOf, TheLabCannotBeCold) {
  const auto run = twinbox({"compare", "--lab", "--engines", "process", "--page-cache", "cold",
                            "--out", out().string()});
  EXPECT_EQ(run.status, 125);
  EXPECT_NE(run.err.find("the lab has all its files in memory"), std::string::npos) << run.err;
  EXPECT_EQ(twinbox({"compare", "--page-cache", "hot"}).status, 125);
}

}  // namespace
}  // namespace twinbox::compare
