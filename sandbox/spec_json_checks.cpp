#include "sandbox/spec_json_checks.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace twinbox::sandbox {
namespace {

using base::Json;
using base::JsonView;

// Features of the runtime-spec that a workload would rely on and no engine here has. An empty
// object, array or string asks for nothing.
constexpr std::array unsupported_fields{
    "hooks",
    "windows",
    "solaris",
    "zos",
    "domainname",
    "process.apparmorProfile",
    "process.selinuxLabel",
    "process.scheduler",
    "process.ioPriority",
    "process.execCPUAffinity",
    "process.capabilities.ambient",
    "linux.uidMappings",
    "linux.gidMappings",
    "linux.intelRdt",
    "linux.personality",
    "linux.mountLabel",
    "linux.timeOffsets",
    "linux.resources.blockIO",
    "linux.resources.hugepageLimits",
    "linux.resources.network",
    "linux.resources.rdma",
    "linux.resources.unified",
    "linux.resources.cpu.shares",
    "linux.resources.cpu.mems",
    "linux.resources.cpu.realtimeRuntime",
    "linux.resources.memory.reservation",
};

bool asks_for_nothing(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_structured() && value.empty());
}

}  // namespace

std::optional<JsonView> find_path(const JsonView& root, std::string_view path) {
  std::optional<JsonView> at = root;
  while (at && !path.empty()) {
    const auto dot = path.find('.');
    at = at->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return at;
}

void refuse(std::string_view path, std::string_view why) {
  throw base::Error(base::ErrorKind::unsupported, fmt::format("{}: {}", path, why),
                    "remove the field, or run the workload with another runtime");
}

void refuse_unsupported(const JsonView& root) {
  for (const auto* const field : unsupported_fields) {
    const auto found = find_path(root, field);
    if (found && !asks_for_nothing(found->value())) {
      refuse(found->path(), "no engine of twinbox supports this");
    }
  }
}

void check_namespaces(const JsonView& linux_section) {
  const auto listed = linux_section.find("namespaces");
  if (!listed) return;
  std::vector<std::string> types;
  for (const auto& element : listed->elements()) {
    types.push_back(element.get<std::string>("type"));
    if (element.has("path")) refuse(element.path(), "joining a namespace is not supported");
    if (std::ranges::find(box_namespaces, types.back()) == box_namespaces.end()) {
      refuse(element.path(), fmt::format("a {} namespace is not supported", types.back()));
    }
  }
  for (const std::string name : {"pid", "network", "ipc", "uts", "mount"}) {
    if (std::ranges::find(types, name) == types.end()) {
      refuse(listed->path(), fmt::format("sharing the host's {} namespace is not supported", name));
    }
  }
}

}  // namespace twinbox::sandbox
