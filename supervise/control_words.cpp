#include "supervise/control_words.hpp"

#include <nlohmann/json.hpp>

namespace twinbox::supervise {

using base::Json;
using base::JsonView;

std::string to_json(const Ended& ended) {
  Json json{{"status", ended.outcome.status},
            {"oom_killed", ended.outcome.oom_killed},
            {"marks", ended.marks.json()}};
  if (ended.outcome.error) json["error"] = ended.outcome.error->message();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const Started& started) {
  return Json{{"id", started.id}, {"pid", started.pid}}.dump();
}

Started started_from_json(std::string_view text) {
  const auto json = base::parse_json(text, "start");
  const JsonView view(json, "start");
  return {.id = view.get<std::string>("id"), .pid = view.get<pid_t>("pid")};
}

Ended ended_from_json(std::string_view text) {
  const auto json = base::parse_json(text, "wait");
  const JsonView view(json, "wait");
  Ended ended{.outcome = {.status = view.get<int>("status"),
                          .oom_killed = view.get<bool>("oom_killed"),
                          .error = {}},
              .marks = sandbox::Marks::from(view.at("marks"))};
  if (const auto error = view.find("error")) {
    ended.outcome.error = base::Error(base::ErrorKind::system, error->as<std::string>());
  }
  return ended;
}

std::optional<RestartPolicy> policy_in(const JsonView& request) {
  const auto field = request.find("restart");
  return field ? std::optional(restart_policy_from(field->as<std::string>())) : std::nullopt;
}

}  // namespace twinbox::supervise
