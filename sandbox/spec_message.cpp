#include "sandbox/spec_message.hpp"

#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"

namespace twinbox::sandbox {
namespace {

bool has_common_process(const Process& process) {
  const auto& user = process.user;
  return user.uid == 0 && user.gid == 0 && user.additional_gids.empty() && !process.terminal &&
         process.terminal_size.columns == 0 && process.terminal_size.rows == 0 &&
         process.rlimits.empty() && !process.oom_score_adj;
}

bool has_common_limits(const Resources& limits) {
  return !limits.memory_swap_bytes && !limits.pids && limits.cpuset_cpus.empty() &&
         !limits.oom_kill_disable;
}

// All but the members that brief_message() writes are as default_spec() has them.
bool is_common(const Spec& spec) {
  return has_standard_parts(spec) && has_common_process(spec.process) &&
         has_common_limits(spec.resources) && spec.seccomp == Seccomp::standard && !spec.init &&
         spec.sysctl.empty() && spec.devices.empty() && !spec.all_devices &&
         spec.unknown_members.empty();
}

std::string brief_message(const Spec& spec) {
  base::JsonWriter json;
  json.object([&] {
    json.member("args", spec.process.args);
    json.member("env", spec.process.env);
    json.member("cwd", spec.process.cwd);
    json.member("hostname", spec.hostname);
    if (!spec.process.no_new_privileges) json.member("new_privileges", true);
    if (spec.root_readonly) json.member("readonly", true);
    if (spec.resources.memory_bytes) json.member("memory", *spec.resources.memory_bytes);
    if (spec.resources.cpus) json.member("cpus", *spec.resources.cpus);
  });
  return json.text();
}

std::string whole_message(const Spec& spec) {
  base::JsonWriter json;
  json.object([&] { json.member_as_it_is("config", to_json(spec)); });
  return json.text();
}

}  // namespace

std::string spec_message(const Spec& spec) {
  if (!is_common(spec)) return whole_message(spec);
  try {
    return brief_message(spec);
  } catch (const base::Json::type_error&) {
    return whole_message(spec);  // its error names the mend
  }
}

Spec spec_from_message(const base::JsonView& message) {
  if (const auto config = message.find("config")) return spec_from_json(*config);
  auto spec = default_spec();
  spec.process.args = message.get<std::vector<std::string>>("args");
  if (spec.process.args.empty()) message.at("args").fail("at least one word");
  spec.process.env = message.get<std::vector<std::string>>("env");
  spec.process.cwd = message.get<std::string>("cwd");
  spec.hostname = message.get<std::string>("hostname");
  spec.process.no_new_privileges = !message.get_or("new_privileges", false);
  spec.root_readonly = message.get_or("readonly", false);
  if (const auto memory = message.find("memory")) {
    spec.resources.memory_bytes = memory->as<std::uint64_t>();
  }
  if (const auto cpus = message.find("cpus")) spec.resources.cpus = cpus->as<double>();
  return spec;
}

}  // namespace twinbox::sandbox
