// The plan that `twinbox compare` is given: a file, flags, or a file changed by flags.
#pragma once

#include <string>

#include "cli/options.hpp"
#include "compare/plan.hpp"

namespace twinbox::cli {

struct CompareFlags {
  bool quick = false;
  bool publish = false;
  std::string engines;
  std::string workloads;
  std::string runs;
  std::string page_cache;
  std::string warm_ups;
  std::string instances;
  std::string image_imports;
  std::string seed;
  std::string kernel;
  std::string parallel;
  std::string beside;

  void declare(Options& options);
  // `file` may be empty. Throws base::Error (usage) naming the flag, or the field of the file.
  compare::Plan plan(const std::string& file) const;
};

}  // namespace twinbox::cli
