// twinbox compare show: a finished comparison in the terminal, or in another form.
#include <fmt/format.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cli/compare_files.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "compare/report/csv.hpp"
#include "compare/report/html.hpp"
#include "compare/report/markdown.hpp"
#include "compare/report/terminal.hpp"

namespace twinbox::cli {

compare::Result read_report(const std::string& name) {
  std::filesystem::path file(name);
  if (std::filesystem::is_directory(file)) file /= "report.json";
  return compare::result_from_json(base::read_file(file), file.string());
}

int compare_show(const Arguments& arguments) {
  std::string format = "text";
  Options options("compare show [flags] REPORT",
                  "Shows a finished comparison: REPORT is a report.json or the directory it is in, "
                  "of this version or an older one.");
  options.value("format", "text|markdown|csv|json|html", "as what (text)", format);
  const auto rest = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (rest.size() != 1) {
    throw base::Error(base::ErrorKind::usage, "compare show: name one report", options.see_help());
  }
  const auto result = read_report(rest.front());
  if (format == "text") {
    fmt::print("{}", compare::render_terminal(result));
  } else if (format == "markdown") {
    fmt::print("{}", compare::render_markdown(result));
  } else if (format == "csv") {
    fmt::print("{}", compare::render_csv(result));
  } else if (format == "json") {
    fmt::print("{}", compare::to_json(result));
  } else if (format == "html") {
    fmt::print("{}", compare::render_html(result));
  } else {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("--format: '{}' is not text, markdown, csv, json or html", format),
        options.see_help());
  }
  return 0;
}

}  // namespace twinbox::cli
