#include "cli/each_box.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "base/error.hpp"
#include "cli/output.hpp"
#include "cli/report.hpp"

namespace twinbox::cli {

int tell_errors(const std::function<void()>& act) {
  try {
    act();
    return 0;
  } catch (const base::Error& error) {
    report(error);
    return 1;
  }
}

int for_each_box(const std::vector<std::string>& references,
                 const std::function<void(const supervise::BoxRecord&)>& act) {
  int status = 0;
  for (const auto& reference : references) {
    const auto done = tell_errors([&] {
      act(box_store().find(reference));
      fmt::print("{}\n", reference);
      flush_output();
    });
    if (done != 0) status = done;
  }
  return status;
}

std::optional<std::vector<std::string>> parse_boxes(Options& options,
                                                    const std::vector<std::string>& arguments) {
  auto boxes = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return std::nullopt;
  require_boxes(boxes, options);
  return boxes;
}

void require_boxes(const std::vector<std::string>& words, const Options& options) {
  if (!words.empty()) return;
  throw base::Error(base::ErrorKind::usage, "say which box", options.see_help());
}

void require_one_box(const std::vector<std::string>& words, const Options& options) {
  if (words.size() == 1) return;
  throw base::Error(base::ErrorKind::usage, "say which box, and no more", options.see_help());
}

}  // namespace twinbox::cli
