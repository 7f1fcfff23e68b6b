// twinbox logs: what a box printed.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/flag_values.hpp"
#include "cli/moment.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "supervise/log.hpp"
#include "supervise/time.hpp"

namespace twinbox::cli {
namespace {

struct LogsFlags {
  bool follow = false;
  bool timestamps = false;
  std::string tail;
  std::string since;
  std::string until;
};

// The streams where they came from, byte by byte.
class Printer {
 public:
  Printer(bool timestamps, bool at_once) : timestamps_(timestamps), at_once_(at_once) {}

  void print(const supervise::LogEntry& entry) {
    const bool out = entry.stream == supervise::LogStream::out;
    std::FILE* const file = out ? stdout : stderr;
    auto& begins_line = begins_line_[out ? 0 : 1];
    if (timestamps_ && begins_line) fmt::print(file, "{} ", supervise::rfc3339(entry.time));
    begins_line = entry.text.ends_with('\n');
    const bool whole =
        std::fwrite(entry.text.data(), 1, entry.text.size(), file) == entry.text.size();
    if (!whole || (at_once_ && std::fflush(file) != 0)) throw OutputFailed{errno};
  }

 private:
  bool timestamps_;
  bool at_once_;
  std::array<bool, 2> begins_line_{true, true};
};

// A killed supervisor has not written down that the box has ended.
bool has_ended(const std::string& id) {
  try {
    const auto state = box_store().find(id).state;
    const bool orphaned = ::kill(state.supervisor, 0) != 0 && errno == ESRCH;
    return orphaned || !is_alive(state.status);
  } catch (const base::Error&) {
    return true;
  }
}

supervise::LogQuery query_of(const LogsFlags& flags) {
  const auto now = supervise::now();
  supervise::LogQuery query{.follow = flags.follow,
                            .tail = {},
                            .since = moment(flags.since, "--since", now),
                            .until = moment(flags.until, "--until", now)};
  const auto tail = flags.tail == "all" ? -1 : whole_number(flags.tail, "--tail", -1).value_or(-1);
  if (tail >= 0) query.tail = static_cast<std::size_t>(tail);
  return query;
}

}  // namespace

int logs(const Arguments& arguments) {
  LogsFlags flags;
  Options options("logs [FLAGS] BOX", "Shows what a box printed.");
  options.flag("follow,f", "go on until the box ends", flags.follow);
  options.value("tail,n", "LINES", "the last ones only; default: all", flags.tail);
  options.value("since", "MOMENT", "from a time on, or from so long ago: 10m", flags.since);
  options.value("until", "MOMENT", "up to a time", flags.until);
  options.flag("timestamps,t", "begin each line with its time", flags.timestamps);
  const auto boxes = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  require_one_box(boxes, options);
  const auto query = query_of(flags);
  return tell_errors([&] {
    const auto store = box_store();
    const auto record = store.find(boxes.front());
    const auto file = store.directory(record.id) / "log";
    if (!std::filesystem::exists(file)) return;  // it was never started
    Printer printer(flags.timestamps, flags.follow);
    supervise::read_log(
        file, query, [&](const auto& entry) { printer.print(entry); },
        [&] { return has_ended(record.id); });
  });
}

}  // namespace twinbox::cli
