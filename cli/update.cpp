// twinbox update: other limits, and another restart policy.
#include <optional>
#include <string>

#include "base/error.hpp"
#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/engine_flags.hpp"
#include "cli/flag_values.hpp"
#include "cli/verbs.hpp"
#include "supervise/events.hpp"

namespace twinbox::cli {
namespace {

struct UpdateFlags {
  std::string memory;
  std::string memory_swap;
  std::string cpus;
  std::string cpuset_cpus;
  std::string pids_limit;
  std::string restart;

  void declare(Options& options) {
    options.value("memory,m", "SIZE", "limit of memory", memory);
    options.value("memory-swap", "SIZE", "limit of memory and swap together; -1: none",
                  memory_swap);
    options.value("cpus", "NUMBER", "processors that it may use", cpus);
    options.value("cpuset-cpus", "LIST", "which processors it may use: 0-2,4", cpuset_cpus);
    options.value("pids-limit", "NUMBER", "processes that it may have; -1: no limit", pids_limit);
    options.value("restart", "POLICY", "no, on-failure[:MAXIMUM], always or unless-stopped",
                  restart);
  }
};

struct Update {
  sandbox::Resources limits;
  std::optional<supervise::RestartPolicy> restart;
  std::set<std::string> flags;
};

Update parse(const UpdateFlags& flags, const std::set<std::string>& given) {
  Update update{.limits = {}, .restart = {}, .flags = given};
  update.limits.memory_bytes = memory_limit(flags.memory);
  update.limits.memory_swap_bytes =
      memory_swap_limit(flags.memory_swap, update.limits.memory_bytes);
  update.limits.cpus = cpu_limit(flags.cpus);
  update.limits.cpuset_cpus = cpu_set(flags.cpuset_cpus);
  update.limits.pids = pids_limit(flags.pids_limit);
  if (!flags.restart.empty()) update.restart = supervise::restart_policy_from(flags.restart);
  return update;
}

// A machine gets its memory and processors when it is started.
void check_machine(const supervise::BoxRecord& record, const Update& update) {
  const auto& engine = record.settings.engine;
  if (engine != "vm" && engine != "qemu") return;
  for (const auto* const flag : {"memory", "cpus"}) {
    if (!update.flags.contains(flag)) continue;
    throw base::Error(
        base::ErrorKind::unsupported,
        fmt::format("--{} cannot change box {} ({}) while it runs", flag, record.name, engine),
        "stop it first: the new value holds from its next start on");
  }
}

void update_at_rest(const supervise::BoxRecord& record, const Update& update) {
  auto box = box_store().own(record.id);
  auto spec = box.spec();
  sandbox::merge(spec.resources, update.limits);
  box.write_spec(spec);
  box.change([&](supervise::BoxRecord& changed) {
    if (update.restart) changed.settings.restart = *update.restart;
  });
  supervise::emit(box.record(), "update");
}

void update_box(const supervise::BoxRecord& record, const Update& update) {
  check_flags_of_engine(update.flags, record.settings.engine);
  if (update.restart && record.settings.remove_at_end &&
      update.restart->kind != supervise::RestartPolicy::Kind::no) {
    throw base::Error(
        base::ErrorKind::conflict,
        fmt::format("box {} is removed at its end (--rm), so it cannot be restarted", record.name));
  }
  if (!is_alive(record.state.status)) return update_at_rest(record, update);
  check_machine(record, update);
  tell_box(record,
           [&](auto& client, auto done) { client.update(update.limits, update.restart, done); });
}

}  // namespace

int update(const Arguments& arguments) {
  UpdateFlags flags;
  Options options("update [FLAGS] BOX...", "Changes limits and the restart policy of boxes.");
  flags.declare(options);
  const auto boxes = parse_boxes(options, arguments);
  if (!boxes) return 0;
  if (options.given().empty()) {
    throw base::Error(base::ErrorKind::usage, "say what to change", options.see_help());
  }
  const auto update = parse(flags, options.given());
  return for_each_box(*boxes,
                      [&](const supervise::BoxRecord& record) { update_box(record, update); });
}

}  // namespace twinbox::cli
