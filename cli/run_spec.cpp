#include "cli/run_spec.hpp"

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/signal_names.hpp"
#include "base/size.hpp"
#include "cli/flag_values.hpp"
#include "cli/privileges.hpp"
#include "guest-images/guest_kernel.hpp"
#include "image/workload.hpp"

namespace twinbox::cli {
namespace {

image::WorkloadOptions workload_options(const RunOptions& options) {
  check_working_directory(options.working_directory);
  auto env = variables_of_files(options.env_files);
  std::ranges::copy(variables(options.env), std::back_inserter(env));
  return {.entrypoint = options.entrypoint,
          .command = options.command,
          .env = std::move(env),
          .working_directory = options.working_directory,
          .user = options.user,
          .groups = options.groups};
}

sandbox::Resources resources(const RunOptions& options) {
  const auto memory = memory_limit(options.memory);
  return {.memory_bytes = memory,
          .cpus = cpu_limit(options.cpus),
          .pids = pids_limit(options.pids),
          .memory_swap_bytes = memory_swap_limit(options.memory_swap, memory),
          .cpuset_cpus = cpu_set(options.cpuset),
          .oom_kill_disable = options.oom_kill_disable};
}

void set_shm_size(const std::string& text, sandbox::Spec& spec) {
  if (text.empty()) return;
  const auto size = fmt::format("size={}", base::parse_size(text, "--shm-size"));
  for (auto& mount : spec.mounts) {
    if (mount.destination != "/dev/shm") continue;
    std::erase_if(mount.options,
                  [](const std::string& option) { return option.starts_with("size="); });
    mount.options.push_back(size);
  }
}

void set_mounts(const RunOptions& options, sandbox::Spec& spec) {
  set_shm_size(options.shm_size, spec);
  for (const auto& text : options.tmpfs) {
    auto mount = temporary_file_system(text);
    std::erase_if(spec.mounts, [&](const sandbox::Mount& other) {
      return other.destination == mount.destination;
    });
    spec.mounts.push_back(std::move(mount));
  }
}

void set_isolation(const RunOptions& options, sandbox::Spec& spec) {
  spec.root_readonly = options.read_only;
  auto& process = spec.process;
  process.no_new_privileges = false;  // docker's default: a setuid program works
  if (options.privileged) make_privileged(spec);
  process.capabilities =
      changed_capabilities(process.capabilities, options.cap_add, options.cap_drop);
  for (const auto& option : options.security) apply_security_option(option, spec);
  spec.sysctl = pairs(options.sysctl, "--sysctl");
  for (const auto& device : options.devices) spec.devices.push_back(host_device(device));
}

// What the flags say of how a box is run, whatever it runs.
void set_way_of_run(const RunOptions& options, supervise::BoxSettings& settings) {
  settings.open_stdin = options.interactive;
  // A terminal has no end of input: who detaches from it may come back and type on.
  settings.stdin_once = options.interactive && !options.terminal && attaches_to(options, "stdin");
  settings.remove_at_end = options.remove;
  if (!options.stop_signal.empty()) {
    settings.stop_signal = base::parse_signal(options.stop_signal, "--stop-signal");
  }
  const auto timeout = whole_number(options.stop_timeout, "--stop-timeout", -1);
  if (timeout) settings.stop_timeout = static_cast<int>(*timeout);
  settings.restart =
      supervise::restart_policy_from(options.restart.empty() ? "no" : options.restart);
  for (auto& [key, value] : labels(options.labels, options.label_files)) {
    settings.labels[key] = value;
  }
}

}  // namespace

sandbox::Spec make_spec(const RunOptions& options, const image::PreparedImage& image) {
  check_hostname(options.hostname);
  auto spec = image::make_workload(image, workload_options(options));
  spec.process.terminal = options.terminal;
  // As docker has it: what the image or the user says comes before.
  if (options.terminal) image::set_default_variable(spec.process.env, "TERM=xterm");
  for (const auto& text : options.ulimits) spec.process.rlimits.push_back(resource_limit(text));
  spec.hostname = options.hostname;
  spec.init = options.init;
  spec.resources = resources(options);
  spec.annotations = pairs(options.annotations, "--annotation");
  spec.vm.kernel = guest_images::checked_kernel_choice(options.kernel);
  spec.vm.cold = options.cold;
  spec.vm.standby = options.standby;
  set_mounts(options, spec);
  set_isolation(options, spec);
  return spec;
}

supervise::BoxSettings make_settings(const RunOptions& options, const image::PreparedImage& image) {
  supervise::BoxSettings settings;
  settings.image = options.image;
  settings.image_id = image.id;
  settings.entrypoint_words = image::entrypoint_of(image.config, options.entrypoint).size();
  settings.requested_engine = options.engine;
  settings.user = options.user.empty() ? image.config.user : options.user;
  if (!image.config.stop_signal.empty()) {
    settings.stop_signal = base::parse_signal(image.config.stop_signal, "the image's StopSignal");
  }
  settings.labels = image.config.labels;
  set_way_of_run(options, settings);
  return settings;
}

supervise::BoxSettings settings_of_copy(const RunOptions& options, supervise::BoxSettings saved) {
  set_way_of_run(options, saved);
  return saved;
}

bool attaches_to(const RunOptions& options, std::string_view stream) {
  if (options.detach || (stream == "stdin" && !options.interactive)) return false;
  return options.attach.empty() || std::ranges::count(options.attach, stream) != 0;
}

}  // namespace twinbox::cli
