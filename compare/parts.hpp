// A comparison that is measured on two hosts, and becomes one report.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compare/plan.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

// Which engines of a plan are measured where.
struct Division {
  std::vector<std::string> native;
  std::vector<std::string> lab;

  bool is_mixed() const { return !native.empty() && !lab.empty(); }
};

// With `lab`, everything of ours is measured in the lab; of an engine that there is on both hosts,
// the native row stands beside those that only this host has, and the lab's beside the machines.
Division divide(const Plan& plan, bool lab);

// The part of a plan that is about some of its engines.
Plan only(const Plan& plan, const std::vector<std::string>& engines);

// What an engine is called that was measured in the lab, in a report of both.
std::string lab_name(const std::string& engine);

// Gives every engine in `result` another name.
void rename_engines(Result& result, const std::function<std::string(const std::string&)>& rename);
// Of what was measured, the lab's part under the engines' own names.
Result lab_part(const Result& measured);

// Adds what was measured elsewhere: hosts, engines, workloads, metrics and samples.
void merge(Result& into, Result other);

}  // namespace twinbox::compare
