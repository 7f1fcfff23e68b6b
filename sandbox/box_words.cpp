#include "sandbox/box_words.hpp"

#include <nlohmann/json.hpp>

namespace twinbox::sandbox {

using base::Json;
using base::JsonView;

ExecWords exec_from_json(std::string_view text) {
  const auto json = base::parse_json(text, "start_exec");
  const JsonView view(json, "start_exec");
  ExecWords words{.box = view.get_or<std::uint32_t>("box", 0), .request = {}};
  if (const auto task = view.find("task")) {
    words.request.task = {.kind = file_task_kind_from(task->get<std::string>("kind")),
                          .path = task->get<std::string>("path")};
  } else {
    words.request.process = process_from_json(view.at("process").value().dump(), "process");
  }
  return words;
}

Json to_json(const Resources& limits) {
  auto json = Json::object();
  if (limits.memory_bytes) json["memory_bytes"] = *limits.memory_bytes;
  if (limits.memory_swap_bytes) json["memory_swap_bytes"] = *limits.memory_swap_bytes;
  if (limits.cpus) json["cpus"] = *limits.cpus;
  if (limits.pids) json["pids"] = *limits.pids;
  if (!limits.cpuset_cpus.empty()) json["cpuset_cpus"] = limits.cpuset_cpus;
  return json;
}

Resources resources_from_json(const JsonView& view) {
  Resources limits;
  if (const auto field = view.find("memory_bytes")) {
    limits.memory_bytes = field->as<std::uint64_t>();
  }
  if (const auto field = view.find("memory_swap_bytes")) {
    limits.memory_swap_bytes = field->as<std::int64_t>();
  }
  if (const auto field = view.find("cpus")) limits.cpus = field->as<double>();
  if (const auto field = view.find("pids")) limits.pids = field->as<std::int64_t>();
  limits.cpuset_cpus = view.get_or<std::string>("cpuset_cpus", "");
  return limits;
}

void ask_box(Box& box, const JsonView& question, const Answer<std::string>& answer) {
  const auto what = question.get<std::string>("do");
  if (what == "statistics") return box.statistics(as_json<Statistics>(answer));
  if (what == "processes") return box.list_processes(as_json<std::vector<ProcessEntry>>(answer));
  if (what == "changes") return box.list_changes(as_json<std::vector<FileChange>>(answer));
  if (what == "update") {
    return box.update(resources_from_json(question.at("limits")), as_json<std::monostate>(answer));
  }
  throw base::Error(base::ErrorKind::unsupported, fmt::format("nobody here knows '{}'", what),
                    "both ends must be of the same version of twinbox");
}

}  // namespace twinbox::sandbox
