// What happened to the boxes of this host: a line of JSON each, appended by whoever did it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace twinbox::supervise {

struct BoxRecord;

// docker's: Type "container" for every kind of box; Action "create", "start", "die", "kill",
// "stop", "pause", "unpause", "checkpoint", "restart", "oom", "exec_start", "exec_die", "attach",
// "rename", "update", "destroy"; Attributes "name", "image", the labels, "engine", and what belongs
// to the action
// ("exitCode", "signal").
struct Event {
  std::int64_t time = 0;  // nanoseconds since the epoch
  std::string action;
  std::string id;
  std::map<std::string, std::string> attributes;
};

// Never throws: an event that cannot be written is lost with a warning. They are kept in two files
// below data_root(), "events" and the older "events.1", of 8 MiB at most each.
void emit(const BoxRecord& box, const std::string& action,
          const std::map<std::string, std::string>& more = {});

// The events of the past are given where one of the two says so, as docker does.
struct EventQuery {
  std::optional<std::int64_t> since{};
  std::optional<std::int64_t> until{};  // without it: follow, until `stop` says so
};
// `stop` is asked after each event, and now and then.
void read_events(const EventQuery& query, const std::function<void(const Event&)>& on_event,
                 const std::function<bool()>& stop = {});

}  // namespace twinbox::supervise
