// twinbox stop, kill, restart: boxes that run are told to end.
#include <csignal>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/signal_names.hpp"
#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/engines.hpp"
#include "cli/flag_values.hpp"
#include "cli/launch.hpp"
#include "cli/new_box.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

struct StopFlags {
  std::string timeout;
  std::string signal;

  void declare(Options& options) {
    options.value("time,t", "SECONDS", "until it is killed; -1: never; default: the box's own",
                  timeout);
    options.value("signal,s", "SIGNAL", "what it is sent; default: the box's own", signal);
  }
  std::optional<int> seconds() const {
    const auto number = whole_number(timeout, "--time", -1);
    return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
  }
  std::optional<int> number() const {
    return signal.empty() ? std::nullopt : std::optional(base::parse_signal(signal, "--signal"));
  }
};

// Whether the box has come to rest, perhaps since `record` was read.
bool is_at_rest(const supervise::BoxRecord& record) {
  try {
    return !is_alive(box_store().find(record.id).state.status);
  } catch (const base::Error&) {
    return true;
  }
}

void start_again(const supervise::BoxRecord& record) {
  const LaunchOptions options{
      .foreground = {.output = false, .errors = false, .signal_proxy = false}, .detach = true};
  if (launch(launch_request(record), options) != 0) {
    throw base::Error(base::ErrorKind::conflict, fmt::format("box {} did not start", record.name));
  }
}

}  // namespace

int stop(const Arguments& arguments) {
  StopFlags flags;
  Options options("stop [FLAGS] BOX...", "Asks boxes to end, and kills those that do not.");
  flags.declare(options);
  const auto boxes = parse_boxes(options, arguments);
  if (!boxes) return 0;
  const auto seconds = flags.seconds();
  const auto signal = flags.number();
  return for_each_box(*boxes, [&](const supervise::BoxRecord& record) {
    if (!is_alive(record.state.status)) return;
    try {
      tell_box(record, [&](auto& client, auto done) { client.stop(seconds, signal, done); });
    } catch (const base::Error&) {
      if (!is_at_rest(record)) throw;
    }
  });
}

int kill(const Arguments& arguments) {
  std::string signal = "KILL";
  Options options("kill [FLAGS] BOX...", "Sends a signal to the first process of running boxes.");
  options.value("signal,s", "SIGNAL", "default: KILL", signal);
  const auto boxes = parse_boxes(options, arguments);
  if (!boxes) return 0;
  const int number = base::parse_signal(signal, "--signal");
  return for_each_box(*boxes, [&](const supervise::BoxRecord& record) {
    supervise::require(supervise::Action::kill, record.state.status, record.name);
    tell_box(record, [&](auto& client, auto done) { client.kill(number, done); });
  });
}

int restart(const Arguments& arguments) {
  StopFlags flags;
  Options options("restart [FLAGS] BOX...", "Stops boxes, and starts them again.");
  flags.declare(options);
  const auto boxes = parse_boxes(options, arguments);
  if (!boxes) return 0;
  load_engines_of(*boxes);
  const auto seconds = flags.seconds();
  const auto signal = flags.number();
  return for_each_box(*boxes, [&](const supervise::BoxRecord& record) {
    if (!is_alive(record.state.status)) return start_again(record);
    tell_box(record, [&](auto& client, auto done) { client.restart(seconds, signal, done); });
  });
}

}  // namespace twinbox::cli
