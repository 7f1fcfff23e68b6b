// A Spec as an OCI runtime-spec 1.1 config.json, both ways.

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::sandbox {
namespace {

using base::Json;
using base::JsonView;

// The runtime-spec writes a seccomp filter out and has no word for "the runtime's own default".
constexpr std::string_view seccomp_annotation = "org.twinbox.seccomp";
constexpr std::uint64_t cpu_period_us = 100'000;

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
    "linux.devices",
    "linux.sysctl",
    "linux.seccomp",
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
    "linux.resources.cpu.cpus",
    "linux.resources.cpu.mems",
    "linux.resources.cpu.realtimeRuntime",
    "linux.resources.memory.reservation",
    "linux.resources.memory.swap",
};

constexpr std::array namespaces{"pid", "network", "ipc", "uts", "mount", "cgroup"};

std::optional<JsonView> find_path(const JsonView& root, std::string_view path) {
  std::optional<JsonView> at = root;
  while (at && !path.empty()) {
    const auto dot = path.find('.');
    at = at->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return at;
}

bool asks_for_nothing(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_structured() && value.empty());
}

[[noreturn]] void refuse(std::string_view path, std::string_view why) {
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

// Every box gets fresh namespaces, so a spec that wants fewer, others or existing ones is refused.
void check_namespaces(const JsonView& linux_section) {
  const auto listed = linux_section.find("namespaces");
  if (!listed) return;
  std::vector<std::string> types;
  for (const auto& element : listed->elements()) {
    types.push_back(element.get<std::string>("type"));
    if (element.has("path")) refuse(element.path(), "joining a namespace is not supported");
    if (std::ranges::find(namespaces, types.back()) == namespaces.end()) {
      refuse(element.path(), fmt::format("a {} namespace is not supported", types.back()));
    }
  }
  for (const std::string name : {"pid", "network", "ipc", "uts", "mount"}) {
    if (std::ranges::find(types, name) == types.end()) {
      refuse(listed->path(), fmt::format("sharing the host's {} namespace is not supported", name));
    }
  }
}

// A limit as the runtime-spec writes it: -1 is none.
template <typename T>
std::optional<T> limit_of(const std::optional<JsonView>& value) {
  if (!value || value->value() == Json(-1)) return std::nullopt;
  return value->as<T>();
}

std::optional<double> cpus_of(const JsonView& root) {
  const auto quota = limit_of<std::uint64_t>(find_path(root, "linux.resources.cpu.quota"));
  if (!quota) return std::nullopt;
  const auto period_field = find_path(root, "linux.resources.cpu.period");
  const auto period = period_field ? period_field->as<std::uint64_t>() : cpu_period_us;
  if (period == 0) period_field->fail("a period above 0");
  return static_cast<double>(*quota) / static_cast<double>(period);
}

User user_from(const JsonView& view) {
  return {.uid = view.get<std::uint32_t>("uid"),
          .gid = view.get<std::uint32_t>("gid"),
          .additional_gids = view.get_or<std::vector<std::uint32_t>>("additionalGids", {})};
}

Process process_from(const JsonView& view) {
  Process process;
  process.args = view.get<std::vector<std::string>>("args");
  if (process.args.empty()) view.at("args").fail("at least one word");
  process.env = view.get_or<std::vector<std::string>>("env", {});
  process.cwd = view.get<std::string>("cwd");
  process.terminal = view.get_or("terminal", false);
  process.no_new_privileges = view.get_or("noNewPrivileges", false);
  if (const auto user = view.find("user")) process.user = user_from(*user);
  if (const auto bounding = find_path(view, "capabilities.bounding")) {
    process.capabilities = bounding->as<std::vector<std::string>>();
  }
  if (const auto limits = view.find("rlimits")) {
    for (const auto& limit : limits->elements()) {
      process.rlimits.push_back({limit.get<std::string>("type"), limit.get<std::uint64_t>("soft"),
                                 limit.get<std::uint64_t>("hard")});
    }
  }
  return process;
}

std::vector<Mount> mounts_from(const JsonView& view) {
  std::vector<Mount> mounts;
  for (const auto& mount : view.elements()) {
    mounts.push_back({mount.get<std::string>("destination"), mount.get_or<std::string>("type", ""),
                      mount.get_or<std::string>("source", ""),
                      mount.get_or<std::vector<std::string>>("options", {})});
  }
  return mounts;
}

VirtualMachine vm_from(const JsonView& view) {
  VirtualMachine vm;
  const auto kernel = view.at("kernel");
  vm.kernel = kernel.get<std::string>("path");
  for (const auto& word : kernel.get_or<std::vector<std::string>>("parameters", {})) {
    vm.kernel_parameters += (vm.kernel_parameters.empty() ? "" : " ") + word;
  }
  vm.initrd = kernel.get_or<std::string>("initrd", "");
  return vm;
}

void read_linux_section(const JsonView& view, Spec& spec) {
  check_namespaces(view);
  spec.masked_paths = view.get_or<std::vector<std::string>>("maskedPaths", {});
  spec.readonly_paths = view.get_or<std::vector<std::string>>("readonlyPaths", {});
}

Json process_to_json(const Process& process) {
  auto limits = Json::array();
  for (const auto& limit : process.rlimits) {
    limits.push_back({{"type", limit.type}, {"soft", limit.soft}, {"hard", limit.hard}});
  }
  return {{"terminal", process.terminal},
          {"user",
           {{"uid", process.user.uid},
            {"gid", process.user.gid},
            {"additionalGids", process.user.additional_gids}}},
          {"args", process.args},
          {"env", process.env},
          {"cwd", process.cwd},
          {"capabilities",
           {{"bounding", process.capabilities},
            {"effective", process.capabilities},
            {"permitted", process.capabilities}}},
          {"rlimits", limits},
          {"noNewPrivileges", process.no_new_privileges}};
}

Json mounts_to_json(const std::vector<Mount>& mounts) {
  auto list = Json::array();
  for (const auto& mount : mounts) {
    list.push_back({{"destination", mount.destination},
                    {"type", mount.type},
                    {"source", mount.source},
                    {"options", mount.options}});
  }
  return list;
}

Json resources_to_json(const Resources& resources) {
  auto json = Json::object();
  if (resources.memory_bytes) json["memory"]["limit"] = *resources.memory_bytes;
  if (resources.cpus) {
    json["cpu"]["quota"] = std::llround(*resources.cpus * static_cast<double>(cpu_period_us));
    json["cpu"]["period"] = cpu_period_us;
  }
  if (resources.pids) json["pids"]["limit"] = *resources.pids;
  return json;
}

Json linux_to_json(const Spec& spec) {
  auto types = Json::array();
  for (const auto* const name : namespaces) types.push_back({{"type", name}});
  return {{"namespaces", types},
          {"resources", resources_to_json(spec.resources)},
          {"maskedPaths", spec.masked_paths},
          {"readonlyPaths", spec.readonly_paths}};
}

// The runtime-spec requires vm.kernel.path; for us an empty one means the stock kernel.
Json vm_to_json(const VirtualMachine& vm) {
  auto words = Json::array();
  for (const auto& word : base::words(vm.kernel_parameters)) words.push_back(word);
  Json kernel{{"path", vm.kernel}, {"parameters", words}};
  if (!vm.initrd.empty()) kernel["initrd"] = vm.initrd;
  return {{"kernel", kernel}};
}

// An argument may hold any byte, JSON may not.
std::string dump(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::type_error& error) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the workload cannot be written as JSON: {}", error.what()),
                      "use UTF-8 in arguments and environment");
  }
}

}  // namespace

std::string to_json(const Process& process) { return dump(process_to_json(process)); }

Process process_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  return process_from(JsonView(json, std::string(source)));
}

std::string to_json(const Spec& spec) {
  Json json{{"ociVersion", "1.1.0"},
            {"process", process_to_json(spec.process)},
            {"root", {{"path", "rootfs"}, {"readonly", spec.root_readonly}}},
            {"hostname", spec.hostname},
            {"mounts", mounts_to_json(spec.mounts)},
            {"linux", linux_to_json(spec)},
            {"vm", vm_to_json(spec.vm)}};
  auto annotations = spec.annotations;
  if (spec.seccomp == Seccomp::standard) annotations[std::string(seccomp_annotation)] = "default";
  json["annotations"] = annotations;
  return dump(json);
}

Spec spec_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const JsonView root(json, std::string(source));
  if (!root.get<std::string>("ociVersion").starts_with("1.")) {
    root.at("ociVersion").fail("a version 1.x");
  }
  refuse_unsupported(root);
  Spec spec;
  spec.process = process_from(root.at("process"));
  if (const auto section = root.find("root"))
    spec.root_readonly = section->get_or("readonly", false);
  spec.hostname = root.get_or<std::string>("hostname", "");
  if (const auto mounts = root.find("mounts")) spec.mounts = mounts_from(*mounts);
  if (const auto section = root.find("linux")) read_linux_section(*section, spec);
  spec.resources.memory_bytes =
      limit_of<std::uint64_t>(find_path(root, "linux.resources.memory.limit"));
  spec.resources.cpus = cpus_of(root);
  spec.resources.pids = limit_of<std::int64_t>(find_path(root, "linux.resources.pids.limit"));
  if (const auto vm = root.find("vm")) spec.vm = vm_from(*vm);
  spec.annotations = root.get_or<std::map<std::string, std::string>>("annotations", {});
  const auto seccomp = spec.annotations.extract(std::string(seccomp_annotation));
  const bool standard = !seccomp.empty() && seccomp.mapped() == "default";
  spec.seccomp = standard ? Seccomp::standard : Seccomp::unconfined;
  return spec;
}

}  // namespace twinbox::sandbox
