#include "supervise/record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using base::JsonView;
using base::JsonWriter;

constexpr std::size_t page = 4096;

void write_settings(JsonWriter& json, const BoxSettings& settings) {
  json.member("image", settings.image);
  json.member("image_id", settings.image_id);
  json.member("command", settings.command);
  json.member("entrypoint_words", settings.entrypoint_words);
  json.member("engine", settings.engine);
  json.member("requested_engine", settings.requested_engine);
  json.member("user", settings.user);
  json.member("open_stdin", settings.open_stdin);
  json.member("stdin_once", settings.stdin_once);
  json.member("remove_at_end", settings.remove_at_end);
  json.member("stop_signal", settings.stop_signal);
  json.member("stop_timeout", settings.stop_timeout);
  json.member("restart", to_string(settings.restart));
  json.member("labels", settings.labels);
  json.member("snapshot", settings.snapshot);
  json.member("snapshot_id", settings.snapshot_id);
}

void write_state(JsonWriter& json, const BoxState& state) {
  json.member("status", to_string(state.status));
  json.member("pid", state.pid);
  json.member("supervisor", state.supervisor);
  json.member("exit_code", state.exit_code);
  json.member("oom_killed", state.oom_killed);
  json.member("error", state.error);
  json.member("created", state.created);
  json.member("started", state.started);
  json.member("finished", state.finished);
  json.member("restart_count", state.restart_count);
}

BoxSettings settings_from(const JsonView& view) {
  BoxSettings settings;
  settings.image = view.get<std::string>("image");
  settings.image_id = view.get_or("image_id", settings.image_id);
  settings.command = view.get_or("command", settings.command);
  settings.entrypoint_words = view.get_or("entrypoint_words", settings.entrypoint_words);
  settings.engine = view.get<std::string>("engine");
  settings.requested_engine = view.get_or("requested_engine", settings.engine);
  settings.user = view.get_or("user", settings.user);
  settings.open_stdin = view.get_or("open_stdin", settings.open_stdin);
  settings.stdin_once = view.get_or("stdin_once", settings.stdin_once);
  settings.remove_at_end = view.get_or("remove_at_end", settings.remove_at_end);
  settings.stop_signal = view.get_or("stop_signal", settings.stop_signal);
  settings.stop_timeout = view.get_or("stop_timeout", settings.stop_timeout);
  settings.restart = restart_policy_from(view.get_or<std::string>("restart", "no"));
  settings.labels = view.get_or("labels", settings.labels);
  settings.snapshot = view.get_or("snapshot", settings.snapshot);
  settings.snapshot_id = view.get_or("snapshot_id", settings.snapshot_id);
  return settings;
}

BoxState state_from(const JsonView& view) {
  BoxState state;
  state.status = status_from(view.get<std::string>("status"));
  state.pid = view.get_or("pid", state.pid);
  state.supervisor = view.get_or("supervisor", state.supervisor);
  state.exit_code = view.get_or("exit_code", state.exit_code);
  state.oom_killed = view.get_or("oom_killed", state.oom_killed);
  state.error = view.get_or("error", state.error);
  state.created = view.get<std::int64_t>("created");
  state.started = view.get_or("started", state.started);
  state.finished = view.get_or("finished", state.finished);
  state.restart_count = view.get_or("restart_count", state.restart_count);
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
  JsonWriter json(JsonWriter::NotUtf8::replaced);
  json.object([&] {
    json.member("id", record.id);
    json.member("name", record.name);
    json.object("settings", [&] { write_settings(json, record.settings); });
    json.object("state", [&] { write_state(json, record.state); });
  });
  return json.text();
}

BoxRecord record_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const JsonView view(json, std::string(source));
  return {.id = view.get<std::string>("id"),
          .name = view.get<std::string>("name"),
          .settings = settings_from(view.at("settings")),
          .state = state_from(view.at("state"))};
}

std::optional<BoxRecord> read_record(const fs::path& box) {
  const auto path = box / record_name;
  try {
    return record_from_json(base::read_file(path), path.string());
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::system) throw;
    return std::nullopt;
  }
}

// Under another name first: a reader must never see half of it. Nothing is synced, since that would
// take longer than a container's start; file systems write a file out that replaces another.
void replace_in(const fs::path& box, std::string_view name, std::string_view text) {
  const auto path = box / name;
  const auto draft = path.string() + ".new";
  try {
    base::write_file(draft, text);
    if (::rename(draft.c_str(), path.c_str()) != 0) base::throw_errno("cannot write {}", draft);
  } catch (const base::Error&) {
    ::unlink(draft.c_str());
    throw;
  }
}

// One write within one page, which file systems do whole or not at all. Blanks make up for what the
// new text is shorter, so that no reader finds the end of the old one behind it.
void overwrite(const fs::path& box, std::string_view name, std::string text) {
  const auto path = box / name;
  const base::Fd fd = base::open_file(path, O_WRONLY);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) base::throw_errno("cannot look at {}", path.string());
  text.resize(std::max(text.size(), static_cast<std::size_t>(status.st_size)), ' ');
  if (text.size() > page) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("{} is too long to be written over", path.string()));
  }
  base::write_all(fd.get(), text);
}

}  // namespace twinbox::supervise
