// twinbox top: the processes of a running box.
#include <fmt/format.h>

#include <ctime>
#include <string>

#include "base/error.hpp"
#include "cli/each_box.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

std::string clock_time(std::int64_t started) {
  const std::time_t seconds = started;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:02}:{:02}", parts.tm_hour, parts.tm_min);
}

std::string used_time(std::uint64_t cpu_ns) {
  const auto seconds = cpu_ns / second_ns;
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

void print_processes(const std::vector<sandbox::ProcessEntry>& processes) {
  std::string lines = "UID\tPID\tPPID\tC\tSTIME\tTTY\tTIME\tCMD\n";
  for (const auto& process : processes) {
    lines += fmt::format("{}\t{}\t{}\t0\t{}\t{}\t{}\t{}\n", process.uid, process.pid, process.ppid,
                         clock_time(process.started), process.terminal, used_time(process.cpu_ns),
                         process.command);
  }
  fmt::print("{}", align(lines));
}

}  // namespace

int top(const Arguments& arguments) {
  Options options("top BOX", "Lists the processes of a running box.");
  const auto boxes = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  require_one_box(boxes, options);
  return tell_errors([&] {
    const auto record = box_store().find(boxes.front());
    print_processes(ask_box<std::vector<sandbox::ProcessEntry>>(
        record, [](auto& client, auto answer) { client.list_processes(answer); }));
  });
}

}  // namespace twinbox::cli
