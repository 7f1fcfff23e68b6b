#include "container/device_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace twinbox::container {
namespace {

bool has(const std::vector<DeviceRule>& rules, const std::string& text) {
  return std::ranges::any_of(rules,
                             [&](const DeviceRule& rule) { return to_string(rule) == text; });
}

TEST(DeviceRules, AreDockersByDefault) {
  const auto rules = device_rules({});
  for (const auto* const text : {"c *:* m", "b *:* m", "c 1:3 rwm", "c 5:2 rwm", "c 136:* rwm"}) {
    EXPECT_TRUE(has(rules, text)) << text;
  }
  EXPECT_FALSE(has(rules, "c 1:1 rwm"));  // the kernel's memory
}

TEST(DeviceRules, HaveTheSpecsDevices) {
  const auto rules =
      device_rules({{.path = "/dev/x", .type = 'b', .major = 7, .minor = 0, .access = "r"}});
  EXPECT_TRUE(has(rules, "b 7:0 r"));
}

}  // namespace
}  // namespace twinbox::container
