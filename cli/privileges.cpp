#include "cli/privileges.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "container/capabilities.hpp"

namespace twinbox::cli {
namespace {

using Names = std::vector<std::string>;

// "net_admin" as "CAP_NET_ADMIN".
std::string capability_name(std::string text, const char* flag) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  if (text == "ALL") return text;
  auto name = text.starts_with("CAP_") ? text : "CAP_" + text;
  const auto known = container::capability_names();
  if (std::ranges::find(known, name) != known.end()) return name;
  throw base::Error(base::ErrorKind::usage, fmt::format("{}: {} is no capability", flag, text),
                    "see capabilities(7), or give ALL");
}

Names capability_names_in(const Names& texts, const char* flag) {
  Names names;
  for (const auto& text : texts) names.push_back(capability_name(text, flag));
  return names;
}

bool has(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

Names all_capabilities() {
  const auto known = container::capability_names();
  return {known.begin(), known.end()};
}

base::Error no_option(const std::string& option) {
  return {base::ErrorKind::usage, fmt::format("--security-opt: '{}' is no option", option),
          "give no-new-privileges, seccomp=FILE or seccomp=unconfined"};
}

}  // namespace

Names changed_capabilities(const Names& capabilities, const Names& add, const Names& drop) {
  const auto added = capability_names_in(add, "--cap-add");
  const auto dropped = capability_names_in(drop, "--cap-drop");
  auto result = has(added, "ALL") ? all_capabilities() : capabilities;
  if (has(dropped, "ALL")) result.clear();
  std::erase_if(result, [&](const std::string& name) { return has(dropped, name); });
  for (const auto& name : added) {
    if (name != "ALL" && !has(result, name)) result.push_back(name);
  }
  return result;
}

void make_privileged(sandbox::Spec& spec) {
  spec.process.capabilities = all_capabilities();
  spec.seccomp = sandbox::Seccomp::unconfined;
  spec.all_devices = true;
  spec.masked_paths.clear();
  spec.readonly_paths.clear();
  for (auto& mount : spec.mounts) {
    if (mount.destination.starts_with("/sys")) std::erase(mount.options, "ro");
  }
}

void apply_security_option(const std::string& option, sandbox::Spec& spec) {
  const auto separator = option.find_first_of("=:");
  const auto name = option.substr(0, separator);
  const auto value = separator == std::string::npos ? "true" : option.substr(separator + 1);
  if (name == "no-new-privileges" && (value == "true" || value == "false")) {
    spec.process.no_new_privileges = value == "true";
  } else if (name == "seccomp" && value == "unconfined") {
    spec.seccomp = sandbox::Seccomp::unconfined;
  } else if (name == "seccomp" && separator != std::string::npos) {
    spec.seccomp = sandbox::Seccomp::profile;
    spec.seccomp_profile = base::parse_json(base::read_file(value), value).dump();
  } else {
    throw no_option(option);
  }
}

}  // namespace twinbox::cli
