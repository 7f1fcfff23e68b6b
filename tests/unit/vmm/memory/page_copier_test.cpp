#include "vmm/memory/page_copier.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <vector>

#include "base/mapping.hpp"

namespace twinbox::vmm {
namespace {

constexpr std::size_t page = 4096;
constexpr std::byte of_source{'s'};
constexpr std::byte of_target{'t'};

class PageCopierTest : public testing::Test {
 protected:
  bool holds(std::size_t at, std::byte byte) {
    return std::ranges::all_of(target_.bytes().subspan(at, page),
                               [&](std::byte held) { return held == byte; });
  }

  base::Mapping target_ = base::Mapping::anonymous(4 * page);
  std::vector<std::byte> source_ = std::vector<std::byte>(2 * page, of_source);
};

TEST_F(PageCopierTest, FillsWhatWasNotTouched) {
  {
    const PageCopier copier(target_.bytes());
    EXPECT_TRUE(copier.copy(target_.bytes().subspan(page, 2 * page), source_));
  }
  EXPECT_TRUE(holds(0, std::byte{}));
  EXPECT_TRUE(holds(page, of_source));
  EXPECT_TRUE(holds(2 * page, of_source));
}

TEST_F(PageCopierTest, LeavesWhatWasTouched) {
  target_.data()[page] = of_target;
  const PageCopier copier(target_.bytes());
  EXPECT_FALSE(copier.copy(target_.bytes().subspan(page, page), std::span(source_).first(page)));
  EXPECT_EQ(target_.data()[page], of_target);
}

TEST_F(PageCopierTest, FillsNothingBeyondItsPages) {
  {
    const PageCopier copier(target_.bytes().first(page));
    EXPECT_FALSE(copier.copy(target_.bytes().subspan(page, page), std::span(source_).first(page)));
  }
  EXPECT_TRUE(holds(page, std::byte{}));
}

}  // namespace
}  // namespace twinbox::vmm
