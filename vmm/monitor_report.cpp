#include "vmm/monitor_report.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace twinbox::vmm {
namespace {

using base::Json;
using base::JsonView;

struct ReasonName {
  EndReason reason;
  std::string_view name;
  int status;
};

constexpr std::array<ReasonName, 10> reasons{{
    {EndReason::shutdown, "shutdown", 0},
    {EndReason::reset, "reset", 0},
    {EndReason::setup_error, "setup_error", 10},
    {EndReason::snapshot_error, "snapshot_error", 10},
    {EndReason::triple_fault, "triple_fault", 11},
    {EndReason::boot_limit, "boot_limit", 12},
    {EndReason::kvm_error, "kvm_error", 13},
    {EndReason::internal_error, "internal_error", 14},
    {EndReason::stopped, "stopped", 15},
    {EndReason::killed, "killed", 137},
}};

constexpr std::string_view snapshot_word = "snapshot ";

const ReasonName& describe(EndReason reason) {
  return *std::ranges::find(reasons, reason, &ReasonName::reason);
}

EndReason reason_from(const JsonView& view) {
  const auto found = std::ranges::find(reasons, view.as<std::string>(), &ReasonName::name);
  if (found == reasons.end()) view.fail("the name of a reason");
  return found->reason;
}

sandbox::Mark mark_from(const JsonView& view) {
  const auto name = view.as<std::string>();
  for (std::size_t i = 0; i < sandbox::mark_count; ++i) {
    const auto mark = static_cast<sandbox::Mark>(i);
    if (sandbox::to_string(mark) == name) return mark;
  }
  view.fail("the name of a mark");
}

MonitorEnd end_from(const JsonView& view) {
  MonitorEnd end;
  end.reason = reason_from(view.at("reason"));
  end.message = view.get_or<std::string>("message", "");
  end.hint = view.get_or<std::string>("hint", "");
  if (const auto rip = view.find("rip")) end.rip = rip->as<std::uint64_t>();
  end.last_serial = view.get_or<std::vector<std::string>>("last_serial", {});
  end.exits = view.get_or<ExitCounts>("exits", {});
  end.exits_at_boot = view.get_or<ExitCounts>("exits_at_boot", {});
  return end;
}

std::optional<base::Error> order_failure(const JsonView& view) {
  const auto error = view.find("error");
  if (!error) return std::nullopt;
  return base::Error(base::ErrorKind::system, error->as<std::string>(),
                     view.get_or<std::string>("hint", ""), view.get_or<int>("number", 0));
}

// A guest's serial line holds any bytes; the report is UTF-8.
std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string_view to_string(EndReason reason) { return describe(reason).name; }

int exit_status(EndReason reason) { return describe(reason).status; }

std::string mark_line(sandbox::Mark mark, const sandbox::Stamp& stamp) {
  Json json{{"event", "mark"}, {"name", sandbox::to_string(mark)}, {"ns", stamp.monotonic_ns}};
  if (stamp.cpu_ns != 0) json["cpu_ns"] = stamp.cpu_ns;
  return line_of(json);
}

std::string done_line() { return line_of({{"event", "done"}}); }

std::string failed_line(const base::Error& error) {
  return line_of({{"event", "done"},
                  {"error", error.message()},
                  {"hint", error.hint()},
                  {"number", error.number()}});
}

std::string order_line(const Order& order) {
  switch (order.command) {
    case Command::pause:
      return "pause\n";
    case Command::resume:
      return "resume\n";
    case Command::snapshot:
      break;
  }
  if (order.path.find('\n') != std::string::npos) {
    throw base::Error(base::ErrorKind::usage, "the path of a snapshot has more than one line");
  }
  return fmt::format("{}{}\n", snapshot_word, order.path);
}

std::optional<Order> order_from_line(std::string_view line) {
  if (line == "pause") return Order{Command::pause};
  if (line == "resume") return Order{Command::resume};
  if (!line.starts_with(snapshot_word)) return std::nullopt;
  return Order{Command::snapshot, std::string(line.substr(snapshot_word.size()))};
}

std::string end_line(const MonitorEnd& end) {
  Json json{{"event", "end"},
            {"reason", to_string(end.reason)},
            {"message", end.message},
            {"hint", end.hint},
            {"last_serial", end.last_serial},
            {"exits", end.exits},
            {"exits_at_boot", end.exits_at_boot}};
  if (end.rip) json["rip"] = *end.rip;
  return line_of(json);
}

void ReportParser::feed(std::string_view bytes) {
  buffer_ += bytes;
  std::size_t start = 0;
  for (auto end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n', start)) {
    take_line(std::string_view(buffer_).substr(start, end - start));
    start = end + 1;
  }
  buffer_.erase(0, start);
}

void ReportParser::take_line(std::string_view line) {
  const Json json = base::parse_json(line, "the monitor's report");
  const JsonView view(json, "the monitor's report");
  const auto event = view.get<std::string>("event");
  if (event == "mark") {
    report_.marks.stamp(mark_from(view.at("name")),
                        {.monotonic_ns = view.get<std::uint64_t>("ns"),
                         .cpu_ns = view.get_or<std::uint64_t>("cpu_ns", 0)});
  } else if (event == "done") {
    report_.orders_done.push_back(order_failure(view));
  } else if (event == "end") {
    report_.end = end_from(view);
  } else {
    view.at("event").fail("mark, done or end");
  }
}

}  // namespace twinbox::vmm
