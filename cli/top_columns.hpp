// The columns of `twinbox top`, by the options of ps(1) that choose them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sandbox/box_report.hpp"

namespace twinbox::cli {

// What columns are made from beside the processes themselves.
struct ProcessMoment {
  std::int64_t now = 0;            // seconds since the epoch
  std::uint64_t memory_bytes = 0;  // that the box may use; 0: not known
};

struct ProcessColumn {
  std::string heading;
  std::function<std::string(const sandbox::ProcessEntry&, const ProcessMoment&)> text;
};

// "-ef" (also without any option), "aux", "-o pid,cmd", "-eo", "-o pid=NUMBER". The processes are
// those of the box whatever the options say. Throws base::Error (usage) that names what is not
// known.
std::vector<ProcessColumn> process_columns(const std::vector<std::string>& options);

}  // namespace twinbox::cli
