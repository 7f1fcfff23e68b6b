// The stress tests with one engine. Usage: stress_test --engine ENGINE [--boxes N] [--rounds N]
// [--seed N] [--twinbox PROGRAM] [GoogleTest's flags].
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "tests/stress/stress.hpp"

int main(int count, char** words) {
  ::testing::InitGoogleTest(&count, words);
  if (::geteuid() != 0) return 77;  // ctest's skip: boxes need root
  auto& plan = twinbox::testing::plan();
  plan.twinbox = "/usr/bin/twinbox";  // where the lab has it
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string flag = words[at];
    const auto number = static_cast<unsigned>(std::strtoul(words[at + 1], nullptr, 10));
    if (flag == "--engine") plan.engine = words[at + 1];
    if (flag == "--twinbox") plan.twinbox = words[at + 1];
    if (flag == "--boxes") plan.boxes = number;
    if (flag == "--rounds") plan.rounds = number;
    if (flag == "--seed") plan.seed = number;
  }
  return RUN_ALL_TESTS();
}
