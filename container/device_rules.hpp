// Which devices a box may use: the rules for its device control group (runtime-spec
// config-linux.md, "Allowed Device list").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/spec.hpp"

namespace twinbox::container {

// Whether a box must be kept from the devices of its kernel by its control group.
enum class DeviceControl {
  required,
  where_possible,  // where the kernel cannot, a box cannot make device nodes either
};

// Allows; what no rule allows is denied.
struct DeviceRule {
  char type = 'c';                       // 'c' or 'b'
  std::optional<std::uint32_t> major{};  // none: all
  std::optional<std::uint32_t> minor{};
  std::string access = "rwm";  // read, write, mknod
  bool operator==(const DeviceRule&) const = default;
};

// docker's: the devices that every box has, nodes of any other without any use of them, and the
// devices of the spec.
std::vector<DeviceRule> device_rules(const std::vector<sandbox::Device>& devices);

// As version 1 reads it: "c 136:* rwm".
std::string to_string(const DeviceRule& rule);

}  // namespace twinbox::container
