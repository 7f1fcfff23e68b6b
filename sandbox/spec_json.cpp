// A Spec as an OCI runtime-spec 1.1 config.json, both ways.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "sandbox/spec.hpp"
#include "sandbox/spec_json_checks.hpp"
#include "sandbox/spec_json_linux.hpp"

namespace twinbox::sandbox {
namespace {

using base::Json;
using base::JsonView;
using base::JsonWriter;

// The runtime-spec writes a seccomp filter out and has no word for "the runtime's own default".
constexpr std::string_view seccomp_annotation = "org.twinbox.seccomp";
constexpr std::string_view init_annotation = "org.twinbox.init";
constexpr std::string_view devices_annotation = "org.twinbox.devices";

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
  if (const auto size = view.find("consoleSize")) {
    process.terminal_size = {.columns = size->get<std::uint16_t>("width"),
                             .rows = size->get<std::uint16_t>("height")};
  }
  if (const auto score = view.find("oomScoreAdj")) process.oom_score_adj = score->as<int>();
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

// The parameters of our hypervisor.
constexpr const char* cold_start = "cold";
constexpr const char* no_standby = "no-standby";

VirtualMachine vm_from(const JsonView& view) {
  VirtualMachine vm;
  const auto kernel = view.at("kernel");
  vm.kernel = kernel.get<std::string>("path");
  for (const auto& word : kernel.get_or<std::vector<std::string>>("parameters", {})) {
    vm.kernel_parameters += (vm.kernel_parameters.empty() ? "" : " ") + word;
  }
  vm.initrd = kernel.get_or<std::string>("initrd", "");
  if (const auto hypervisor = view.find("hypervisor")) {
    const auto words = hypervisor->get_or<std::vector<std::string>>("parameters", {});
    vm.cold = std::ranges::count(words, cold_start) != 0;
    vm.standby = std::ranges::count(words, no_standby) == 0;
  }
  return vm;
}

void write_user(JsonWriter& json, const User& user) {
  json.object("user", [&] {
    json.member("uid", user.uid);
    json.member("gid", user.gid);
    json.member("additionalGids", user.additional_gids);
  });
}

void write_limits(JsonWriter& json, const std::vector<Rlimit>& limits) {
  json.array("rlimits", [&] {
    for (const auto& limit : limits) {
      json.object([&] {
        json.member("type", limit.type);
        json.member("soft", limit.soft);
        json.member("hard", limit.hard);
      });
    }
  });
}

void write_members(JsonWriter& json, const Process& process) {
  json.member("terminal", process.terminal);
  write_user(json, process.user);
  json.member("args", process.args);
  json.member("env", process.env);
  json.member("cwd", process.cwd);
  json.object("capabilities", [&] {
    for (const auto* const set : {"bounding", "effective", "permitted"}) {
      json.member(set, process.capabilities);
    }
  });
  write_limits(json, process.rlimits);
  json.member("noNewPrivileges", process.no_new_privileges);
  const auto size = process.terminal_size;
  if (size.columns != 0 || size.rows != 0) {
    json.object("consoleSize", [&] {
      json.member("width", size.columns);
      json.member("height", size.rows);
    });
  }
  if (process.oom_score_adj) json.member("oomScoreAdj", *process.oom_score_adj);
}

void write_mounts(JsonWriter& json, const std::vector<Mount>& mounts) {
  json.array("mounts", [&] {
    for (const auto& mount : mounts) {
      json.object([&] {
        json.member("destination", mount.destination);
        json.member("type", mount.type);
        json.member("source", mount.source);
        json.member("options", mount.options);
      });
    }
  });
}

// The runtime-spec requires vm.kernel.path; for us an empty one means the engine's default.
void write_vm(JsonWriter& json, const VirtualMachine& vm) {
  json.object("vm", [&] {
    json.object("kernel", [&] {
      json.member("path", vm.kernel);
      json.member("parameters", base::words(vm.kernel_parameters));
      if (!vm.initrd.empty()) json.member("initrd", vm.initrd);
    });
    if (!vm.cold && vm.standby) return;
    json.object("hypervisor", [&] {
      json.member("path", "");
      json.array("parameters", [&] {
        if (vm.cold) json.element(cold_start);
        if (!vm.standby) json.element(no_standby);
      });
    });
  });
}

// What is in `from` and not in `known`, at any depth of objects.
Json members_beyond(const Json& from, const Json& known) {
  auto beyond = Json::object();
  for (const auto& [key, value] : from.items()) {
    const auto found = known.find(key);
    if (found == known.end()) {
      beyond[key] = value;
    } else if (value.is_object() && found->is_object()) {
      if (auto below = members_beyond(value, *found); !below.empty()) beyond[key] = below;
    }
  }
  return beyond;
}

void add_missing(Json& json, const Json& members) {
  for (const auto& [key, value] : members.items()) {
    if (!json.contains(key)) {
      json[key] = value;
    } else if (json[key].is_object() && value.is_object()) {
      add_missing(json[key], value);
    }
  }
}

// What the runtime-spec has no field for.
std::map<std::string, std::string> annotations_of(const Spec& spec) {
  auto annotations = spec.annotations;
  if (spec.seccomp == Seccomp::standard) annotations[std::string(seccomp_annotation)] = "default";
  if (spec.init) annotations[std::string(init_annotation)] = "true";
  if (spec.all_devices) annotations[std::string(devices_annotation)] = "all";
  return annotations;
}

void read_annotations(const JsonView& root, Spec& spec) {
  spec.annotations = root.get_or<std::map<std::string, std::string>>("annotations", {});
  const auto take = [&](std::string_view key) {
    const auto node = spec.annotations.extract(std::string(key));
    return node.empty() ? std::string() : node.mapped();
  };
  spec.init = take(init_annotation) == "true";
  spec.all_devices = take(devices_annotation) == "all";
  const bool standard = take(seccomp_annotation) == "default";
  if (spec.seccomp != Seccomp::profile) {
    spec.seccomp = standard ? Seccomp::standard : Seccomp::unconfined;
  }
}

void write_known(JsonWriter& json, const Spec& spec) {
  json.object([&] {
    json.member("ociVersion", "1.1.0");
    json.object("process", [&] { write_members(json, spec.process); });
    json.object("root", [&] {
      json.member("path", "rootfs");
      json.member("readonly", spec.root_readonly);
    });
    json.member("hostname", spec.hostname);
    write_mounts(json, spec.mounts);
    json.object("linux", [&] { write_linux_section(json, spec); });
    write_vm(json, spec.vm);
    json.member("annotations", annotations_of(spec));
  });
}

// An argument may hold any byte, JSON may not.
template <typename Write>
std::string text_of(Write write) {
  JsonWriter json;
  try {
    write(json);
  } catch (const Json::type_error& error) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the workload cannot be written as JSON: {}", error.what()),
                      "use UTF-8 in arguments and environment");
  }
  return json.text();
}

std::string known_to_json(const Spec& spec) {
  return text_of([&](JsonWriter& json) { write_known(json, spec); });
}

// Without the annotations, which are all known.
std::string unknown_members_of(Json json, const Spec& spec) {
  json.erase("annotations");
  const auto beyond = members_beyond(json, base::parse_json(known_to_json(spec), "what is known"));
  return beyond.empty() ? std::string() : beyond.dump();
}

}  // namespace

std::string to_json(const Process& process) {
  return text_of([&](JsonWriter& json) { json.object([&] { write_members(json, process); }); });
}

Process process_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  return process_from(JsonView(json, std::string(source)));
}

std::string to_json(const Spec& spec) {
  auto known = known_to_json(spec);
  if (spec.unknown_members.empty()) return known;
  auto json = base::parse_json(known, "the known members");
  add_missing(json, base::parse_json(spec.unknown_members, "the members beside the known ones"));
  return json.dump();
}

Spec spec_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  auto spec = spec_from_json(JsonView(json, std::string(source)));
  spec.unknown_members = unknown_members_of(json, spec);
  return spec;
}

Spec spec_from_json(const JsonView& root) {
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
  if (const auto vm = root.find("vm")) spec.vm = vm_from(*vm);
  read_annotations(root, spec);
  return spec;
}

}  // namespace twinbox::sandbox
