#include "base/fingerprint.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::base {
namespace {

TEST(Fingerprint, IsOfAFileAsItIs) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "kernel";
  write_file(file, "one");
  const auto before = fingerprint(file);
  EXPECT_EQ(before, fingerprint(file));
  write_file(file, "three");
  EXPECT_NE(before, fingerprint(file));
}

TEST(Fingerprint, ChangesWithContentWhoseTimeWasPutBack) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "kernel";
  write_file(file, "one");
  struct stat status {};
  ASSERT_EQ(0, ::stat(file.c_str(), &status));
  const auto before = fingerprint(file);

  // As `rsync --inplace --times` does.
  const Fd again = open_file(file, O_WRONLY);
  ASSERT_EQ(3, ::pwrite(again.get(), "two", 3, 0));
  const std::array times{status.st_atim, status.st_mtim};
  std::string now;
  do {  // as long as the clock of the file system stands
    ASSERT_EQ(0, ::futimens(again.get(), times.data()));
    now = fingerprint(file);
  } while (now == before);
  ASSERT_EQ(0, ::stat(file.c_str(), &status));
  EXPECT_EQ(times[1].tv_nsec, status.st_mtim.tv_nsec);
}

}  // namespace
}  // namespace twinbox::base
