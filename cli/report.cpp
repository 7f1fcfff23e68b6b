#include "cli/report.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "sandbox/engine.hpp"

namespace twinbox::cli {

int report(std::string_view message, std::string_view hint) {
  fmt::print(stderr, "twinbox: {}\n", message);
  if (!hint.empty()) fmt::print(stderr, "hint: {}\n", hint);
  return sandbox::status_own_error;
}

int report(const base::Error& error) { return report(error.message(), error.hint()); }

}  // namespace twinbox::cli
