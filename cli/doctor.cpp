// twinbox doctor: what this host can and cannot do, and how to mend it.

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "cli/host_checks.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

std::string_view word(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::warning:
      return "warn";
    case Health::failure:
      return "FAIL";
  }
  return "?";
}

// A mend gets a line of its own: beside a long finding it would wrap in most terminals.
void print(const std::vector<Finding>& findings) {
  std::size_t width = 0;
  for (const auto& finding : findings) width = std::max(width, finding.subject.size());
  for (const auto& finding : findings) {
    fmt::print("{:<4}  {:<{}}  {}\n", word(finding.health), finding.subject, width, finding.found);
    if (!finding.mend.empty()) fmt::print("{:<4}  {:<{}}  mend: {}\n", "", "", width, finding.mend);
  }
}

}  // namespace

int doctor(const Arguments& arguments) {
  Options options("doctor",
                  "Says what this host can and cannot do, and how to mend it. The status is 0 when "
                  "containers can run, else 1.");
  const auto rest = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (!rest.empty()) {
    throw base::Error(base::ErrorKind::usage, fmt::format("doctor: unexpected '{}'", rest.front()),
                      options.see_help());
  }
  const auto findings = check_host();
  print(findings);
  const bool fails =
      std::ranges::find(findings, Health::failure, &Finding::health) != findings.end();
  return fails ? 1 : 0;
}

}  // namespace twinbox::cli
