#include "sandbox/spec_json_linux.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "sandbox/spec_json_checks.hpp"

namespace twinbox::sandbox {
namespace {

using base::Json;
using base::JsonView;
using base::JsonWriter;

constexpr std::uint64_t cpu_period_us = 100'000;

// A limit as the runtime-spec writes it: -1 is none.
template <typename T>
std::optional<T> limit_of(const std::optional<JsonView>& value) {
  if (!value || value->value() == Json(-1)) return std::nullopt;
  return value->as<T>();
}

std::optional<double> cpus_of(const JsonView& section) {
  const auto quota = limit_of<std::uint64_t>(find_path(section, "resources.cpu.quota"));
  if (!quota) return std::nullopt;
  const auto period_field = find_path(section, "resources.cpu.period");
  const auto period = period_field ? period_field->as<std::uint64_t>() : cpu_period_us;
  if (period == 0) period_field->fail("a period above 0");
  return static_cast<double>(*quota) / static_cast<double>(period);
}

// -1 is a value here: no limit, where a missing one means no swap.
Resources resources_from(const JsonView& section) {
  Resources resources;
  resources.memory_bytes = limit_of<std::uint64_t>(find_path(section, "resources.memory.limit"));
  if (const auto swap = find_path(section, "resources.memory.swap")) {
    resources.memory_swap_bytes = swap->as<std::int64_t>();
  }
  if (const auto disabled = find_path(section, "resources.memory.disableOOMKiller")) {
    resources.oom_kill_disable = disabled->as<bool>();
  }
  if (const auto cpus = find_path(section, "resources.cpu.cpus")) {
    resources.cpuset_cpus = cpus->as<std::string>();
  }
  resources.cpus = cpus_of(section);
  resources.pids = limit_of<std::int64_t>(find_path(section, "resources.pids.limit"));
  return resources;
}

// What the last rule that is about the device says.
std::string access_of(const JsonView& section, const Device& device) {
  std::string access;
  const auto rules = find_path(section, "resources.devices");
  if (!rules) return access;
  for (const auto& rule : rules->elements()) {
    const auto type = rule.get_or<std::string>("type", "a");
    const auto about = [&](std::string_view key, std::uint32_t number) {
      const auto given = rule.get_or<std::int64_t>(key, -1);
      return given == -1 || given == number;
    };
    if ((type == "a" || type.front() == device.type) && about("major", device.major) &&
        about("minor", device.minor)) {
      access = rule.get<bool>("allow") ? rule.get_or<std::string>("access", "rwm") : "";
    }
  }
  return access;
}

Device device_from(const JsonView& section, const JsonView& view) {
  Device device;
  device.path = view.get<std::string>("path");
  const auto type = view.get<std::string>("type");
  if (type != "c" && type != "u" && type != "b") view.at("type").fail("\"c\", \"u\" or \"b\"");
  device.type = type == "b" ? 'b' : 'c';
  device.major = view.get<std::uint32_t>("major");
  device.minor = view.get<std::uint32_t>("minor");
  device.file_mode = view.get_or<std::uint32_t>("fileMode", device.file_mode);
  device.uid = view.get_or<std::uint32_t>("uid", 0);
  device.gid = view.get_or<std::uint32_t>("gid", 0);
  device.access = access_of(section, device);
  if (device.access.empty()) refuse(view.path(), "no rule of resources.devices allows this device");
  return device;
}

void write_devices(JsonWriter& json, const std::vector<Device>& devices) {
  json.array("devices", [&] {
    for (const auto& device : devices) {
      json.object([&] {
        json.member("path", device.path);
        json.member("type", std::string_view(&device.type, 1));
        json.member("major", device.major);
        json.member("minor", device.minor);
        json.member("fileMode", device.file_mode);
        json.member("uid", device.uid);
        json.member("gid", device.gid);
      });
    }
  });
}

void write_device_rules(JsonWriter& json, const std::vector<Device>& devices) {
  json.array("devices", [&] {
    json.object([&] {
      json.member("allow", false);
      json.member("access", "rwm");
    });
    for (const auto& device : devices) {
      json.object([&] {
        json.member("allow", true);
        json.member("type", std::string_view(&device.type, 1));
        json.member("major", device.major);
        json.member("minor", device.minor);
        json.member("access", device.access);
      });
    }
  });
}

void write_memory(JsonWriter& json, const Resources& resources) {
  if (!resources.memory_bytes && !resources.memory_swap_bytes && !resources.oom_kill_disable)
    return;
  json.object("memory", [&] {
    if (resources.memory_bytes) json.member("limit", *resources.memory_bytes);
    if (resources.memory_swap_bytes) json.member("swap", *resources.memory_swap_bytes);
    if (resources.oom_kill_disable) json.member("disableOOMKiller", true);
  });
}

void write_cpu(JsonWriter& json, const Resources& resources) {
  if (!resources.cpus && resources.cpuset_cpus.empty()) return;
  json.object("cpu", [&] {
    if (!resources.cpuset_cpus.empty()) json.member("cpus", resources.cpuset_cpus);
    if (!resources.cpus) return;
    json.member("quota", std::llround(*resources.cpus * static_cast<double>(cpu_period_us)));
    json.member("period", cpu_period_us);
  });
}

void write_resources(JsonWriter& json, const Spec& spec) {
  json.object("resources", [&] {
    write_memory(json, spec.resources);
    write_cpu(json, spec.resources);
    if (spec.resources.pids) {
      json.object("pids", [&] { json.member("limit", *spec.resources.pids); });
    }
    if (!spec.devices.empty()) write_device_rules(json, spec.devices);
  });
}

}  // namespace

void read_linux_section(const JsonView& section, Spec& spec) {
  check_namespaces(section);
  spec.masked_paths = section.get_or<std::vector<std::string>>("maskedPaths", {});
  spec.readonly_paths = section.get_or<std::vector<std::string>>("readonlyPaths", {});
  spec.sysctl = section.get_or<std::map<std::string, std::string>>("sysctl", {});
  spec.resources = resources_from(section);
  if (const auto devices = section.find("devices")) {
    for (const auto& device : devices->elements()) {
      spec.devices.push_back(device_from(section, device));
    }
  }
  if (const auto seccomp = section.find("seccomp"); seccomp && !seccomp->value().empty()) {
    spec.seccomp = Seccomp::profile;
    spec.seccomp_profile = seccomp->value().dump();
  }
}

void write_linux_section(JsonWriter& json, const Spec& spec) {
  json.array("namespaces", [&] {
    for (const auto* const name : box_namespaces) {
      json.object([&] { json.member("type", name); });
    }
  });
  write_resources(json, spec);
  json.member("maskedPaths", spec.masked_paths);
  json.member("readonlyPaths", spec.readonly_paths);
  if (!spec.sysctl.empty()) json.member("sysctl", spec.sysctl);
  if (!spec.devices.empty()) write_devices(json, spec.devices);
  if (spec.seccomp == Seccomp::profile) json.member_as_it_is("seccomp", spec.seccomp_profile);
}

}  // namespace twinbox::sandbox
