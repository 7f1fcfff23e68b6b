// The table's rows: what a user does by the command alone, and what must come of it with every
// engine.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace twinbox::conformance {

// Where an engine may differ, and why.
struct Deviation {
  std::string_view engine;
  std::string_view out;
  std::string_view why;
};

constexpr std::string_view its_own_processors =
    "a machine has processors of its own: the flag is refused by name";
constexpr std::string_view files_of_a_machine =
    "what a machine wrote is in its memory and ends with it; what reads it asks to start it first";

struct Case {
  std::string_view area;
  std::string_view name;
  // What the shell is told. It has the functions of prelude.hpp, $ENGINE, $me (a name for a box of
  // its own; "$me-2" and "$me-3" too: they are removed afterwards), $dir (a directory of its own),
  // and "$plain" and the like: the shared boxes of boxes.cpp, which are started when first asked
  // for.
  std::string_view script;
  // All that the script prints.
  std::string_view out;
  std::vector<Deviation> deviations = {};

  std::string_view expected_of(std::string_view engine) const {
    for (const auto& deviation : deviations) {
      if (deviation.engine == engine) return deviation.out;
    }
    return out;
  }
};

// A box that many cases look into.
struct SharedBox {
  std::string_view name;
  std::string_view script;  // starts it under the name "$box"
};

std::span<const SharedBox> shared_boxes();

// One function for each file of the table.
std::vector<Case> stream_cases();
std::vector<Case> process_cases();
std::vector<Case> isolation_cases();
std::vector<Case> limit_cases();
std::vector<Case> terminal_cases();
std::vector<Case> exec_cases();
std::vector<Case> life_cycle_cases();
std::vector<Case> report_cases();
std::vector<Case> file_cases();

std::vector<Case> all_cases();

}  // namespace twinbox::conformance
