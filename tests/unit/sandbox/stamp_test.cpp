#include "sandbox/stamp.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

TEST(Stamp, CountsNoCpuTimeUnasked) {
  const auto first = Stamp::now();
  const auto second = Stamp::now();
  EXPECT_LE(first.monotonic_ns, second.monotonic_ns);
  EXPECT_EQ(second.cpu_ns, 0U);
  EXPECT_EQ(cpu_counter(), -1);
}

// What a pipe holds must not be taken for a count.
TEST(CountCpuWith, RefusesWhatIsNoPerfEvent) {
  const auto [reader, writer] = base::make_pipe();
  base::write_all(writer.get(), "12345678");
  for (const int descriptor : {reader.get(), -1}) {
    try {
      count_cpu_with(descriptor);
      FAIL() << descriptor;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::usage);
      EXPECT_NE(error.hint().find(cpu_counter_variable), std::string::npos) << error.hint();
    }
  }
  EXPECT_EQ(Stamp::now().cpu_ns, 0U);
}

}  // namespace
}  // namespace twinbox::sandbox
