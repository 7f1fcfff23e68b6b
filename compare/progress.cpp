#include "compare/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <regex>

namespace twinbox::compare {

void Estimate::drop(const std::string& kind, int units) {
  planned_[kind] = std::max(planned_[kind] - units, finished_[kind].units);
}

void Estimate::finish(const std::string& kind, Seconds took) {
  auto& finished = finished_[kind];
  ++finished.units;
  finished.took += took;
  planned_[kind] = std::max(planned_[kind], finished.units);
}

void Estimate::carry_out(const std::string& kind, const std::function<bool()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  if (work()) {
    finish(kind, std::chrono::steady_clock::now() - begin);
  } else {
    drop(kind, 1);
  }
}

int Estimate::done() const {
  int units = 0;
  for (const auto& [kind, finished] : finished_) units += finished.units;
  return units;
}

int Estimate::planned() const {
  int units = 0;
  for (const auto& [kind, count] : planned_) units += count;
  return units;
}

std::optional<Seconds> Estimate::remaining() const {
  Seconds all{};
  for (const auto& [kind, finished] : finished_) all += finished.took;
  const int units = done();
  if (units == 0) return std::nullopt;
  Seconds left{};
  for (const auto& [kind, count] : planned_) {
    const auto found = finished_.find(kind);
    const bool known = found != finished_.end() && found->second.units > 0;
    // Of a kind that was never seen: like the others.
    const auto each = known ? found->second.took / found->second.units : all / units;
    left += each * (count - (known ? found->second.units : 0));
  }
  return left;
}

void Progress::say(const std::string& text) const {
  if (handler_) {
    handler_({text, estimate_.done(), estimate_.planned(), estimate_.remaining()});
  }
}

std::string spoken_duration(Seconds duration) {
  const auto seconds = static_cast<long>(std::ceil(duration.count()));
  if (seconds < 100) return fmt::format("{} s", seconds);
  const auto minutes = (seconds + 59) / 60;
  if (minutes < 100) return fmt::format("{} min", minutes);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string to_line(const ProgressEvent& event) {
  if (event.planned == 0) return event.text;
  const auto left =
      event.remaining ? fmt::format(", {:.0f} s left", event.remaining->count()) : std::string();
  return fmt::format("{} [{}/{}{}]", event.text, event.done, event.planned, left);
}

ProgressEvent event_from_line(const std::string& line) {
  static const std::regex counted(R"((.*) \[(\d{1,9})/(\d{1,9})(?:, (\d{1,9}) s left)?\])");
  std::smatch found;
  if (!std::regex_match(line, found, counted)) return {.text = line};
  ProgressEvent event{found[1], std::stoi(found[2]), std::stoi(found[3]), {}};
  if (found[4].matched) event.remaining = Seconds(std::stoi(found[4]));
  return event;
}

}  // namespace twinbox::compare
