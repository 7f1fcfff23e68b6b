// twinbox create: a new box, for `start`.
#include <fmt/format.h>

#include "cli/new_box.hpp"
#include "cli/run_options.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {

int create(const Arguments& arguments) {
  RunOptions run_options;
  Options options(
      "create [FLAGS] IMAGE [COMMAND...]",
      "Makes a box that runs IMAGE's workload, or COMMAND in IMAGE, once it is started, "
      "and prints its id.");
  run_options.declare(options);
  auto words = options.parse(arguments);
  if (options.help_shown()) return 0;
  run_options.take(std::move(words), options);
  fmt::print("{}\n", make_box(plan_box(run_options), MadeBy::command).record().id);
  return 0;
}

}  // namespace twinbox::cli
