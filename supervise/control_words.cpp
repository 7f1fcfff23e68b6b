#include "supervise/control_words.hpp"

namespace twinbox::supervise {

using base::Json;
using base::JsonView;

std::string to_json(const Ended& ended) {
  Json json{{"status", ended.outcome.status},
            {"oom_killed", ended.outcome.oom_killed},
            {"marks", base::parse_json(ended.marks.to_json(), "marks")}};
  if (ended.outcome.error) json["error"] = ended.outcome.error->message();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Ended ended_from_json(std::string_view text) {
  const auto json = base::parse_json(text, "wait");
  const JsonView view(json, "wait");
  Ended ended{.outcome = {.status = view.get<int>("status"),
                          .oom_killed = view.get<bool>("oom_killed"),
                          .error = {}},
              .marks = sandbox::Marks::from_json(view.at("marks").value().dump(), "wait")};
  if (const auto error = view.find("error")) {
    ended.outcome.error = base::Error(base::ErrorKind::system, error->as<std::string>());
  }
  return ended;
}

sandbox::ExecRequest exec_request_from_json(std::string_view text) {
  const auto json = base::parse_json(text, "start_exec");
  const JsonView view(json, "start_exec");
  sandbox::ExecRequest request;
  if (const auto task = view.find("task")) {
    request.task = {.kind = sandbox::file_task_kind_from(task->get<std::string>("kind")),
                    .path = task->get<std::string>("path")};
  } else {
    request.process = sandbox::process_from_json(view.at("process").value().dump(), "process");
  }
  return request;
}

Json limits_to_json(const sandbox::Resources& limits) {
  auto json = Json::object();
  if (limits.memory_bytes) json["memory_bytes"] = *limits.memory_bytes;
  if (limits.memory_swap_bytes) json["memory_swap_bytes"] = *limits.memory_swap_bytes;
  if (limits.cpus) json["cpus"] = *limits.cpus;
  if (limits.pids) json["pids"] = *limits.pids;
  if (!limits.cpuset_cpus.empty()) json["cpuset_cpus"] = limits.cpuset_cpus;
  return json;
}

sandbox::Resources limits_from_json(const JsonView& view) {
  sandbox::Resources limits;
  if (const auto field = view.find("memory_bytes"))
    limits.memory_bytes = field->as<std::uint64_t>();
  if (const auto field = view.find("memory_swap_bytes")) {
    limits.memory_swap_bytes = field->as<std::int64_t>();
  }
  if (const auto field = view.find("cpus")) limits.cpus = field->as<double>();
  if (const auto field = view.find("pids")) limits.pids = field->as<std::int64_t>();
  limits.cpuset_cpus = view.get_or<std::string>("cpuset_cpus", "");
  return limits;
}

std::optional<RestartPolicy> policy_in(const JsonView& request) {
  const auto field = request.find("restart");
  return field ? std::optional(restart_policy_from(field->as<std::string>())) : std::nullopt;
}

}  // namespace twinbox::supervise
