#include "cli/inspect_box.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/machine_memory.hpp"
#include "supervise/time.hpp"

namespace twinbox::cli {
namespace {

using base::Json;
using supervise::Status;

// docker's for "not yet".
std::string time_text(std::int64_t time) {
  return time == 0 ? "0001-01-01T00:00:00Z" : supervise::rfc3339(time);
}

Json state_of(const supervise::BoxState& state) {
  const auto is = [&](Status status) { return state.status == status; };
  return {{"Status", to_string(state.status)},
          {"Running", is(Status::running) || is(Status::paused)},
          {"Paused", is(Status::paused)},
          {"Restarting", is(Status::restarting)},
          {"OOMKilled", state.oom_killed},
          {"Dead", is(Status::dead)},
          {"Pid", state.pid},
          {"ExitCode", state.exit_code},
          {"Error", state.error},
          {"StartedAt", time_text(state.started)},
          {"FinishedAt", time_text(state.finished)}};
}

// What `some` has beyond `others`.
std::vector<std::string> beyond(const std::vector<std::string>& some,
                                const std::vector<std::string>& others) {
  std::vector<std::string> found;
  std::ranges::copy_if(some, std::back_inserter(found), [&](const std::string& name) {
    return std::ranges::find(others, name) == others.end();
  });
  return found;
}

Json tmpfs_of(const sandbox::Spec& spec) {
  const auto standard = sandbox::default_spec();
  auto tmpfs = Json::object();
  for (const auto& mount : spec.mounts) {
    const bool ours = std::ranges::any_of(standard.mounts, [&](const sandbox::Mount& other) {
      return other.destination == mount.destination;
    });
    if (mount.type == "tmpfs" && !ours) {
      tmpfs[mount.destination] = fmt::format("{}", fmt::join(mount.options, ","));
    }
  }
  return tmpfs;
}

Json rlimits_of(const sandbox::Process& process) {
  auto limits = Json::array();
  for (const auto& limit : process.rlimits) {
    limits.push_back({{"Name", limit.type}, {"Soft", limit.soft}, {"Hard", limit.hard}});
  }
  return limits;
}

Json devices_of(const sandbox::Spec& spec) {
  auto devices = Json::array();
  for (const auto& device : spec.devices) {
    devices.push_back({{"PathInContainer", device.path}, {"CgroupPermissions", device.access}});
  }
  return devices;
}

Json security_of(const sandbox::Spec& spec) {
  auto options = Json::array();
  if (spec.process.no_new_privileges) options.push_back("no-new-privileges");
  if (spec.seccomp == sandbox::Seccomp::unconfined) options.push_back("seccomp=unconfined");
  if (spec.seccomp == sandbox::Seccomp::profile) {
    options.push_back("seccomp=" + spec.seccomp_profile);
  }
  return options;
}

Json limits_of(const sandbox::Resources& limits) {
  constexpr double nano = 1e9;
  return {{"Memory", limits.memory_bytes.value_or(0)},
          {"MemorySwap", limits.memory_swap_bytes.value_or(0)},
          {"NanoCpus", static_cast<std::int64_t>(limits.cpus.value_or(0) * nano)},
          {"CpusetCpus", limits.cpuset_cpus},
          {"PidsLimit", limits.pids ? Json(*limits.pids) : Json()},
          {"OomKillDisable", limits.oom_kill_disable}};
}

std::string policy_name(const supervise::RestartPolicy& policy) {
  const auto text = to_string(policy);
  return text.substr(0, text.find(':'));
}

Json host_config_of(const supervise::BoxSettings& settings, const sandbox::Spec& spec) {
  const auto standard = sandbox::default_spec().process.capabilities;
  const auto& given = spec.process.capabilities;
  auto config = limits_of(spec.resources);
  config.update(Json{{"RestartPolicy",
                      {{"Name", policy_name(settings.restart)},
                       {"MaximumRetryCount", settings.restart.maximum_retries}}},
                     {"AutoRemove", settings.remove_at_end},
                     {"ReadonlyRootfs", spec.root_readonly},
                     {"CapAdd", beyond(given, standard)},
                     {"CapDrop", beyond(standard, given)},
                     {"SecurityOpt", security_of(spec)},
                     {"Init", spec.init},
                     {"Tmpfs", tmpfs_of(spec)},
                     {"Ulimits", rlimits_of(spec.process)},
                     {"Sysctls", spec.sysctl},
                     {"Devices", devices_of(spec)},
                     {"MaskedPaths", spec.masked_paths},
                     {"ReadonlyPaths", spec.readonly_paths},
                     {"Annotations", spec.annotations}});
  return config;
}

std::string signal_name(int number) {
  const char* const name = ::sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : std::to_string(number);
}

// docker's for none.
Json words_or_null(const std::vector<std::string>& words) {
  return words.empty() ? Json() : Json(words);
}

Json config_of(const supervise::BoxSettings& settings, const sandbox::Spec& spec) {
  const auto& words = settings.command;
  const auto command = words.begin() + static_cast<std::ptrdiff_t>(
                                           std::min(settings.entrypoint_words, words.size()));
  return {{"Hostname", spec.hostname},
          {"User", settings.user},
          {"Tty", spec.process.terminal},
          {"OpenStdin", settings.open_stdin},
          {"StdinOnce", settings.stdin_once},
          {"Env", spec.process.env},
          {"Cmd", words_or_null({command, words.end()})},
          {"Image", settings.image},
          {"WorkingDir", spec.process.cwd},
          {"Entrypoint", words_or_null({words.begin(), command})},
          {"Labels", settings.labels},
          {"StopSignal", signal_name(settings.stop_signal)},
          {"StopTimeout", settings.stop_timeout}};
}

}  // namespace

Json describe(const supervise::BoxRecord& record, const sandbox::Spec& spec) {
  const auto& [id, name, settings, state] = record;
  const auto& command = settings.command;
  const std::vector<std::string> rest(command.begin() + (command.empty() ? 0 : 1), command.end());
  Json described{{"Id", id},
                 {"Created", time_text(state.created)},
                 {"Path", command.empty() ? "" : command.front()},
                 {"Args", rest},
                 {"State", state_of(state)},
                 {"Image", settings.image_id},
                 {"Name", "/" + name},
                 {"RestartCount", state.restart_count},
                 {"Engine", settings.engine},
                 {"RequestedEngine", settings.requested_engine},
                 {"HostConfig", host_config_of(settings, spec)},
                 {"Config", config_of(settings, spec)}};
  if (!settings.snapshot.empty()) described["Snapshot"] = settings.snapshot;
  // Of our own monitor, whose process this is.
  if (settings.engine == "vm" && state.pid > 0) {
    if (auto memory = machine_memory(state.pid)) described["MachineMemory"] = std::move(*memory);
  }
  return described;
}

Json describe(const image::ImageSummary& summary, const image::ImageConfig& config) {
  const Json described{{"Env", config.env},
                       {"Cmd", config.command},
                       {"Entrypoint", config.entrypoint},
                       {"WorkingDir", config.working_directory},
                       {"User", config.user},
                       {"StopSignal", config.stop_signal},
                       {"Labels", config.labels}};
  return {{"Id", summary.id},
          {"RepoTags", {summary.name}},
          {"Created", summary.created},
          {"Size", summary.size},
          {"Os", "linux"},
          {"Config", described},
          {"RootFS", {{"Type", "layers"}, {"Layers", config.diff_ids}}}};
}

}  // namespace twinbox::cli
