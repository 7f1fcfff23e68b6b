// twinbox top: the processes of a running box.
#include <fmt/format.h>

#include <ctime>
#include <string>

#include "base/error.hpp"
#include "cli/each_box.hpp"
#include "cli/table.hpp"
#include "cli/top_columns.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

using Columns = std::vector<ProcessColumn>;

void print_line(std::string& lines, const Columns& columns, const auto& cell) {
  for (std::size_t at = 0; at < columns.size(); ++at) {
    lines += (at == 0 ? "" : "\t") + cell(columns[at]);
  }
  lines += '\n';
}

void print_processes(const std::vector<sandbox::ProcessEntry>& processes, const Columns& columns,
                     const ProcessMoment& moment) {
  std::string lines;
  print_line(lines, columns, [](const ProcessColumn& column) { return column.heading; });
  for (const auto& process : processes) {
    print_line(lines, columns,
               [&](const ProcessColumn& column) { return column.text(process, moment); });
  }
  fmt::print("{}", align(lines));
}

ProcessMoment moment_of(const supervise::BoxRecord& record) {
  const auto statistics = ask_box<sandbox::Statistics>(
      record, [](auto& client, auto answer) { client.statistics(answer); });
  return {.now = std::time(nullptr), .memory_bytes = statistics.memory_limit_bytes};
}

}  // namespace

// What follows the box is ps's, not ours, so that "-o" and "aux" need no "--" before them.
int top(const Arguments& arguments) {
  Options options(
      "top BOX [PS OPTIONS]",
      "Lists the processes of a running box: by -ef, aux or -o COLUMN,..., as ps does.");
  auto words = options.parse(arguments);
  if (options.help_shown()) return 0;
  if (words.empty()) require_one_box(words, options);
  const auto columns = process_columns({words.begin() + 1, words.end()});
  return tell_errors([&] {
    const auto record = box_store().find(words.front());
    const auto processes = ask_box<std::vector<sandbox::ProcessEntry>>(
        record, [](auto& client, auto answer) { client.list_processes(answer); });
    print_processes(processes, columns, moment_of(record));
  });
}

}  // namespace twinbox::cli
