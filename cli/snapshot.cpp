// twinbox snapshot: prune.
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/size.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::cli {

int snapshot(const Arguments& arguments) {
  Options options(
      "snapshot prune",
      "Removes the templates that machines start warm from. Each is made again when the "
      "next machine\nof its kind starts; machines that run keep what they have of it.");
  const auto words = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (words != Arguments{"prune"}) {
    throw base::Error(base::ErrorKind::usage, "snapshot: say what to do: prune",
                      options.see_help());
  }
  fmt::print("freed {}\n", base::format_size(vmm::prune_templates(vmm::templates_directory())));
  return 0;
}

}  // namespace twinbox::cli
