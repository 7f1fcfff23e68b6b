#include "container/device_rules.hpp"

#include <fmt/format.h>

namespace twinbox::container {
namespace {

// Made when a box is: a constant would be made at every start of the command.
std::vector<DeviceRule> standard_rules() {
  return {
      {.type = 'c', .access = "m"},
      {.type = 'b', .access = "m"},
      {.major = 1, .minor = 3},  // null
      {.major = 1, .minor = 5},  // zero
      {.major = 1, .minor = 7},  // full
      {.major = 1, .minor = 8},  // random
      {.major = 1, .minor = 9},  // urandom
      {.major = 5, .minor = 0},  // tty
      {.major = 5, .minor = 1},  // console
      {.major = 5, .minor = 2},  // ptmx
      {.major = 136},            // pts/*
  };
}

std::string number_text(const std::optional<std::uint32_t>& number) {
  return number ? std::to_string(*number) : "*";
}

}  // namespace

std::vector<DeviceRule> device_rules(const std::vector<sandbox::Device>& devices) {
  auto rules = standard_rules();
  for (const auto& device : devices) {
    rules.push_back({device.type, device.major, device.minor, device.access});
  }
  return rules;
}

std::string to_string(const DeviceRule& rule) {
  return fmt::format("{} {}:{} {}", rule.type, number_text(rule.major), number_text(rule.minor),
                     rule.access);
}

}  // namespace twinbox::container
