// twinbox compare diff: two reports against one another, for people and for CI.
#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "cli/compare_files.hpp"
#include "cli/options.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "compare/diff.hpp"
#include "compare/report/quantity.hpp"
#include "compare/report/text.hpp"

namespace twinbox::cli {
namespace {

using compare::Change;

constexpr int status_regressed = 1;
constexpr int status_inconclusive = 2;

double read_margin(const std::string& text) {
  double percent = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, percent);
  if (parsed.ec != std::errc() || parsed.ptr != end || percent < 0 || percent > 100) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--margin: '{}' is no percentage from 0 to 100", text),
                      "see: twinbox help compare");
  }
  return percent / 100;
}

std::string subject(const compare::DiffRow& row) {
  return compare::printable(fmt::format("{}, {}{}", row.metric, row.workload,
                                        row.at ? fmt::format(" at {}", *row.at) : ""));
}

void print_rows(const compare::ReportDiff& diff) {
  std::string lines =
      "METRIC\tENGINE\tBEFORE\tAFTER\tRATIO\t95 % INTERVAL\tP\tCLIFF'S DELTA\tVERDICT\n";
  for (const auto& row : diff.rows) {
    const auto& contrast = row.contrast;
    lines += fmt::format(
        "{}\t{}\t{}\t{}\t{:.4g}\t{:.4g} to {:.4g}\t{:.2g}\t{:.2f}\t{}\n", subject(row),
        compare::printable(row.engine), compare::format_quantity(row.before, row.unit),
        compare::format_quantity(row.after, row.unit), contrast.ratio, contrast.interval.low,
        contrast.interval.high, contrast.p_adjusted, contrast.delta, to_string(row.change));
  }
  fmt::print("{}", align(lines));
}

}  // namespace

int compare_diff(const Arguments& arguments) {
  std::string margin = "2";
  compare::DiffOptions choice;
  bool strict = false;
  Options options("compare diff [flags] BEFORE AFTER",
                  "Sets two reports against one another, metric by metric. Ends with status 0 when "
                  "nothing regressed,\n1 when something did, and with --strict 2 when something "
                  "cannot be told or is not in both.");
  options.value("margin", "PERCENT", "changes up to this are none (2)", margin);
  options.flag("across-hosts", "also when processor, kernel or kind of host differ",
               choice.across_hosts);
  options.flag("strict", "what is inconclusive or not compared is no success", strict);
  const auto rest = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (rest.size() != 2) {
    throw base::Error(base::ErrorKind::usage, "compare diff: name two reports", options.see_help());
  }
  choice.margin = read_margin(margin);
  const auto diff = compare::diff(read_report(rest[0]), read_report(rest[1]), choice);
  for (const auto& warning : diff.warnings)
    fmt::print(stderr, "warning: {}\n", compare::printable(warning));
  for (const auto& reason : diff.unmatched)
    fmt::print(stderr, "not compared: {}\n", compare::printable(reason));
  if (diff.rows.empty()) {
    throw base::Error(base::ErrorKind::conflict, "the reports have nothing in common to compare");
  }
  print_rows(diff);
  fmt::print("\n{} improved, {} regressed, {} the same, {} inconclusive\n",
             diff.count(Change::improved), diff.count(Change::regressed), diff.count(Change::same),
             diff.count(Change::inconclusive));
  if (diff.count(Change::regressed) > 0) return status_regressed;
  const bool untold = diff.count(Change::inconclusive) > 0 || !diff.unmatched.empty();
  return strict && untold ? status_inconclusive : 0;
}

}  // namespace twinbox::cli
