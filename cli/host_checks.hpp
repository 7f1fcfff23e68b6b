// What this host can do for boxes, one finding per question.
#pragma once

#include <string>
#include <vector>

namespace twinbox::cli {

enum class Health {
  ok,
  warning,  // something does not work here that can be done without
  failure,  // containers cannot run
};

struct Finding {
  Health health = Health::ok;
  std::string subject;
  std::string found;
  std::string mend;  // empty where there is nothing to mend
};

std::vector<Finding> check_host();

}  // namespace twinbox::cli
