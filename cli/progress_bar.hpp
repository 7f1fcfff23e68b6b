// Shows how far a long run is.
#pragma once

#include "compare/progress.hpp"

namespace twinbox::cli {

// On standard error: a bar that is drawn over on a terminal, lines elsewhere.
class ProgressBar {
 public:
  ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();  // clears it

  void show(const compare::ProgressEvent& event) const;

 private:
  bool terminal_;
};

// "[######----------]  38 %, 3 min left: start-up: block 3", at most `columns` wide.
std::string bar_line(const compare::ProgressEvent& event, std::size_t columns);

}  // namespace twinbox::cli
