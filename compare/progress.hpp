// How far a comparison is, and how long it will still take.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace twinbox::compare {

using Seconds = std::chrono::duration<double>;

struct ProgressEvent {
  std::string text;  // "start-up: block 3 of 31"
  int done = 0;      // units of work
  int planned = 0;   // 0: not known
  std::optional<Seconds> remaining{};
};
using ProgressHandler = std::function<void(const ProgressEvent& event)>;

// Estimates from how long units of the same kind took: a start of one engine can take a thousand
// times that of another.
class Estimate {
 public:
  void plan(const std::string& kind, int units) { planned_[kind] += units; }
  // Units that are not done after all.
  void drop(const std::string& kind, int units);
  void finish(const std::string& kind, Seconds took);

  // Does a unit: finished where `work` is true, dropped where it was not done.
  void carry_out(const std::string& kind, const std::function<bool()>& work);

  int done() const;
  int planned() const;
  // Nothing before the first unit is done.
  std::optional<Seconds> remaining() const;

 private:
  struct Finished {
    int units = 0;
    Seconds took{};
  };
  std::map<std::string, int> planned_;
  std::map<std::string, Finished> finished_;
};

// Tells a handler of each step.
class Progress {
 public:
  explicit Progress(ProgressHandler handler) : handler_(std::move(handler)) {}

  Estimate& estimate() { return estimate_; }
  void say(const std::string& text) const;

 private:
  ProgressHandler handler_;
  Estimate estimate_;
};

// "start-up: block 3 of 31 [12/93, 40 s left]", and back for a command that watches another.
std::string to_line(const ProgressEvent& event);
ProgressEvent event_from_line(const std::string& line);
// "40 s", "3 min", "2 h 5 min".
std::string spoken_duration(Seconds duration);

}  // namespace twinbox::compare
