#include "supervise/lifecycle.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"

namespace twinbox::supervise {
namespace {

using base::ErrorKind;

constexpr std::array<std::pair<Status, std::string_view>, 7> status_names{{
    {Status::created, "created"},
    {Status::running, "running"},
    {Status::paused, "paused"},
    {Status::restarting, "restarting"},
    {Status::removing, "removing"},
    {Status::exited, "exited"},
    {Status::dead, "dead"},
}};

struct Rule {
  Action action;
  std::string_view words;  // "cannot WORDS box NAME"
  unsigned statuses;       // a bit per status that it is legal in
  std::string_view hint;
};

constexpr unsigned in(Status status) { return 1U << static_cast<unsigned>(status); }

constexpr unsigned at_rest = in(Status::created) | in(Status::exited) | in(Status::dead);
constexpr unsigned alive = in(Status::running) | in(Status::paused) | in(Status::restarting);

constexpr std::array rules{
    Rule{Action::start, "start", at_rest, "it runs already"},
    Rule{Action::stop, "stop", alive | at_rest, ""},
    Rule{Action::kill, "kill", in(Status::running) | in(Status::paused) | in(Status::restarting),
         "start it first: twinbox start"},
    Rule{Action::restart, "restart", alive | at_rest, ""},
    Rule{Action::pause, "pause", in(Status::running), "only a running box can be paused"},
    Rule{Action::unpause, "unpause", in(Status::paused), "it is not paused"},
    Rule{Action::save, "take a snapshot of", in(Status::running), "start it, or unpause it, first"},
    Rule{Action::attach, "attach to", in(Status::running) | in(Status::restarting),
         "start it, or unpause it, first"},
    Rule{Action::exec, "run a command in", in(Status::running), "start it, or unpause it, first"},
    Rule{Action::update, "update", alive | at_rest, ""},
    Rule{Action::copy, "copy files of", alive | at_rest, ""},
    Rule{Action::remove, "remove", at_rest, "stop it first, or use: twinbox rm -f"},
};

}  // namespace

std::string_view to_string(Status status) {
  return std::ranges::find(status_names, status, &std::pair<Status, std::string_view>::first)
      ->second;
}

Status status_from(std::string_view text) {
  const auto* const found =
      std::ranges::find(status_names, text, &std::pair<Status, std::string_view>::second);
  if (found != status_names.end()) return found->first;
  throw base::Error(ErrorKind::usage, fmt::format("'{}' is no status of a box", text),
                    "created, running, paused, restarting, removing, exited or dead");
}

void require(Action action, Status status, std::string_view box_name) {
  const auto* const rule = std::ranges::find(rules, action, &Rule::action);
  if ((rule->statuses & in(status)) != 0) return;
  throw base::Error(
      ErrorKind::conflict,
      fmt::format("cannot {} box {}: it is {}", rule->words, box_name, to_string(status)),
      std::string(rule->hint));
}

}  // namespace twinbox::supervise
