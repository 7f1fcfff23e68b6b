// The JSON of the questions and answers between a command and a supervisor.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "sandbox/engine.hpp"
#include "supervise/record.hpp"

namespace twinbox::supervise {

// A run that has begun.
struct Started {
  std::string id;  // the box's
  pid_t pid = 0;   // on the host, of its first process or its machine
};

std::string to_json(const Started& started);
Started started_from_json(std::string_view text);

// What became of a run.
struct Ended {
  sandbox::Outcome outcome;
  sandbox::Marks marks;
};

std::string to_json(const Ended& ended);
Ended ended_from_json(std::string_view text);

std::optional<RestartPolicy> policy_in(const base::JsonView& request);

}  // namespace twinbox::supervise
