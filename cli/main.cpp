// The `twinbox` command: finds the verb in one table, runs it, reports what it threw.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "cli/engines.hpp"
#include "cli/output.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

void print_help() {
  fmt::print("Usage: twinbox VERB [arguments]\n\nOne workload, two kinds of box.\n");
  for (const auto& group : all_verbs()) {
    if (group.verbs.empty()) continue;
    fmt::print("\n{}:\n", group.title);
    for (const auto& verb : group.verbs) fmt::print("  {:<10} {}\n", verb.name, verb.summary);
  }
  fmt::print("\n  {:<10} {}\n\n", "help", "show this help, or a verb's: twinbox help VERB");
  fmt::print("twinbox keeps its data in $TWINBOX_ROOT, or /var/lib/twinbox.\n");
}

const Verb& find_verb(std::string_view name) {
  for (const auto& group : all_verbs()) {
    const auto found = std::ranges::find(group.verbs, name, &Verb::name);
    if (found != group.verbs.end()) return *found;
  }
  throw base::Error(base::ErrorKind::usage, fmt::format("there is no verb '{}'", name),
                    "see: twinbox help");
}

int dispatch(Arguments arguments) {
  if (arguments.empty()) {
    throw base::Error(base::ErrorKind::usage, "no verb was given", "see: twinbox help");
  }
  const auto first = arguments.front();
  arguments.erase(arguments.begin());
  if (first == "--version" || first == "version") {
    fmt::print("twinbox {}\n", TWINBOX_VERSION);
    return 0;
  }
  if (first == "help" || first == "--help" || first == "-h") {
    if (!arguments.empty()) return find_verb(arguments.front()).function({"--help"});
    print_help();
    return 0;
  }
  const auto& verb = find_verb(first);
  sweep_leftovers();
  return verb.function(arguments);
}

int report_unexpected(const std::exception& error) {
  // fmt::print's own, of a standard output that takes no more.
  const auto* const failed = dynamic_cast<const std::system_error*>(&error);
  if (failed != nullptr && std::ferror(stdout) != 0) return output_failed(failed->code().value());
  return report(fmt::format("unexpected failure: {}", error.what()), {});
}

// A closed standard stream's number would go to the next thing that is opened.
void open_closed_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // takes the lowest free number
  }
}

}  // namespace
}  // namespace twinbox::cli

int main(int count, char** values) {
  using namespace twinbox;
  // A reader that goes away is an error of one write, not the end of a process that owns boxes.
  std::signal(SIGPIPE, SIG_IGN);
  cli::open_closed_streams();
  try {
    return cli::finish_output(cli::dispatch({values + 1, values + count}));
  } catch (const base::Error& error) {
    return cli::report(error);
  } catch (const cli::OutputFailed& failed) {
    return cli::output_failed(failed.error);
  } catch (const std::exception& error) {
    return cli::report_unexpected(error);
  }
}
