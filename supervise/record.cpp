#include "supervise/record.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace twinbox::supervise {
namespace {

using base::Json;
using base::JsonView;

Json settings_to_json(const BoxSettings& settings) {
  return {{"image", settings.image},
          {"image_id", settings.image_id},
          {"command", settings.command},
          {"engine", settings.engine},
          {"requested_engine", settings.requested_engine},
          {"open_stdin", settings.open_stdin},
          {"stdin_once", settings.stdin_once},
          {"remove_at_end", settings.remove_at_end},
          {"stop_signal", settings.stop_signal},
          {"stop_timeout", settings.stop_timeout},
          {"restart", to_string(settings.restart)},
          {"labels", settings.labels}};
}

Json state_to_json(const BoxState& state) {
  return {{"status", to_string(state.status)}, {"pid", state.pid},
          {"supervisor", state.supervisor},    {"exit_code", state.exit_code},
          {"oom_killed", state.oom_killed},    {"error", state.error},
          {"created", state.created},          {"started", state.started},
          {"finished", state.finished},        {"restart_count", state.restart_count}};
}

BoxSettings settings_from(const JsonView& view) {
  BoxSettings settings;
  settings.image = view.get<std::string>("image");
  settings.image_id = view.get<std::string>("image_id");
  settings.command = view.get<std::vector<std::string>>("command");
  settings.engine = view.get<std::string>("engine");
  settings.requested_engine = view.get<std::string>("requested_engine");
  settings.open_stdin = view.get<bool>("open_stdin");
  settings.stdin_once = view.get<bool>("stdin_once");
  settings.remove_at_end = view.get<bool>("remove_at_end");
  settings.stop_signal = view.get<int>("stop_signal");
  settings.stop_timeout = view.get<int>("stop_timeout");
  settings.restart = restart_policy_from(view.get<std::string>("restart"));
  settings.labels = view.get<std::map<std::string, std::string>>("labels");
  return settings;
}

BoxState state_from(const JsonView& view) {
  BoxState state;
  state.status = status_from(view.get<std::string>("status"));
  state.pid = view.get<pid_t>("pid");
  state.supervisor = view.get<pid_t>("supervisor");
  state.exit_code = view.get<int>("exit_code");
  state.oom_killed = view.get<bool>("oom_killed");
  state.error = view.get<std::string>("error");
  state.created = view.get<std::int64_t>("created");
  state.started = view.get<std::int64_t>("started");
  state.finished = view.get<std::int64_t>("finished");
  state.restart_count = view.get<unsigned>("restart_count");
  return state;
}

[[noreturn]] void refuse_policy(std::string_view text) {
  throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is no restart policy", text),
                    "no, on-failure, on-failure:N, always or unless-stopped");
}

}  // namespace

RestartPolicy restart_policy_from(std::string_view text) {
  using Kind = RestartPolicy::Kind;
  constexpr std::string_view limited = "on-failure:";
  if (text == "no" || text.empty()) return {};
  if (text == "always") return {.kind = Kind::always};
  if (text == "unless-stopped") return {.kind = Kind::unless_stopped};
  if (text == "on-failure") return {.kind = Kind::on_failure};
  if (!text.starts_with(limited)) refuse_policy(text);
  const auto count = base::parse_number<unsigned>(text.substr(limited.size()));
  if (!count) refuse_policy(text);
  return {.kind = Kind::on_failure, .maximum_retries = *count};
}

std::string to_string(const RestartPolicy& policy) {
  using Kind = RestartPolicy::Kind;
  switch (policy.kind) {
    case Kind::no:
      return "no";
    case Kind::always:
      return "always";
    case Kind::unless_stopped:
      return "unless-stopped";
    case Kind::on_failure:
      break;
  }
  if (policy.maximum_retries == 0) return "on-failure";
  return fmt::format("on-failure:{}", policy.maximum_retries);
}

std::string to_json(const BoxRecord& record) {
  const Json json{{"id", record.id},
                  {"name", record.name},
                  {"settings", settings_to_json(record.settings)},
                  {"state", state_to_json(record.state)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

BoxRecord record_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const JsonView view(json, std::string(source));
  return {.id = view.get<std::string>("id"),
          .name = view.get<std::string>("name"),
          .settings = settings_from(view.at("settings")),
          .state = state_from(view.at("state"))};
}

}  // namespace twinbox::supervise
