#include "sandbox/box_report.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/json.hpp"

namespace twinbox::sandbox {
namespace {

using base::Json;
using base::JsonView;

// Paths and commands may hold any byte, JSON may not: what is no UTF-8 is shown as U+FFFD.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename Element, typename Decode>
std::vector<Element> list_from(std::string_view text, std::string_view source, Decode decode) {
  const auto json = base::parse_json(text, source);
  std::vector<Element> list;
  for (const auto& view : JsonView(json, std::string(source)).elements()) {
    list.push_back(decode(view));
  }
  return list;
}

FileChange::Kind change_kind(const JsonView& view) {
  const auto letter = view.as<std::string>();
  if (letter != "A" && letter != "C" && letter != "D") view.fail("A, C or D");
  return static_cast<FileChange::Kind>(letter.front());
}

}  // namespace

std::string to_json(const Statistics& s) {
  return dump({{"time_ns", s.time_ns},
               {"cpu_ns", s.cpu_ns},
               {"cpus", s.cpus},
               {"memory_bytes", s.memory_bytes},
               {"memory_limit_bytes", s.memory_limit_bytes},
               {"pids", s.pids},
               {"pids_limit", s.pids_limit},
               {"block_read_bytes", s.block_read_bytes},
               {"block_written_bytes", s.block_written_bytes},
               {"network_received_bytes", s.network_received_bytes},
               {"network_sent_bytes", s.network_sent_bytes}});
}

Statistics statistics_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const JsonView view(json, std::string(source));
  const auto number = [&](std::string_view key) { return view.get<std::uint64_t>(key); };
  return {.time_ns = number("time_ns"),
          .cpu_ns = number("cpu_ns"),
          .cpus = view.get<unsigned>("cpus"),
          .memory_bytes = number("memory_bytes"),
          .memory_limit_bytes = number("memory_limit_bytes"),
          .pids = number("pids"),
          .pids_limit = number("pids_limit"),
          .block_read_bytes = number("block_read_bytes"),
          .block_written_bytes = number("block_written_bytes"),
          .network_received_bytes = number("network_received_bytes"),
          .network_sent_bytes = number("network_sent_bytes")};
}

std::string to_json(const std::vector<ProcessEntry>& entries) {
  auto list = Json::array();
  for (const auto& entry : entries) {
    list.push_back({{"pid", entry.pid},
                    {"ppid", entry.ppid},
                    {"uid", entry.uid},
                    {"started", entry.started},
                    {"terminal", entry.terminal},
                    {"cpu_ns", entry.cpu_ns},
                    {"state", std::string(1, entry.state)},
                    {"nice", entry.nice},
                    {"threads", entry.threads},
                    {"virtual_bytes", entry.virtual_bytes},
                    {"resident_bytes", entry.resident_bytes},
                    {"name", entry.name},
                    {"command", entry.command}});
  }
  return dump(list);
}

std::vector<ProcessEntry> processes_from_json(std::string_view text, std::string_view source) {
  return list_from<ProcessEntry>(text, source, [](const JsonView& view) {
    return ProcessEntry{.pid = view.get<pid_t>("pid"),
                        .ppid = view.get<pid_t>("ppid"),
                        .uid = view.get<std::uint32_t>("uid"),
                        .started = view.get<std::int64_t>("started"),
                        .terminal = view.get<std::string>("terminal"),
                        .cpu_ns = view.get<std::uint64_t>("cpu_ns"),
                        .state = (view.get<std::string>("state") + '?').front(),
                        .nice = view.get<int>("nice"),
                        .threads = view.get<unsigned>("threads"),
                        .virtual_bytes = view.get<std::uint64_t>("virtual_bytes"),
                        .resident_bytes = view.get<std::uint64_t>("resident_bytes"),
                        .name = view.get<std::string>("name"),
                        .command = view.get<std::string>("command")};
  });
}

std::string to_json(const std::vector<FileChange>& changes) {
  auto list = Json::array();
  for (const auto& change : changes) {
    list.push_back({{"kind", std::string(1, static_cast<char>(change.kind))},
                    {"path", change.path},
                    {"size", change.size}});
  }
  return dump(list);
}

std::vector<FileChange> changes_from_json(std::string_view text, std::string_view source) {
  return list_from<FileChange>(text, source, [](const JsonView& view) {
    return FileChange{.kind = change_kind(view.at("kind")),
                      .path = view.get<std::string>("path"),
                      .size = view.get<std::uint64_t>("size")};
  });
}

std::string to_json(const PathInfo& info) {
  return dump({{"size", info.size},
               {"mode", info.mode},
               {"modified", info.modified},
               {"link_target", info.link_target}});
}

PathInfo path_info_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const JsonView view(json, std::string(source));
  return {.size = view.get<std::uint64_t>("size"),
          .mode = view.get<std::uint32_t>("mode"),
          .modified = view.get<std::int64_t>("modified"),
          .link_target = view.get<std::string>("link_target")};
}

}  // namespace twinbox::sandbox
