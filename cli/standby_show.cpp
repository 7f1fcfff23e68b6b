// twinbox standby ls, stop.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "cli/each_box.hpp"
#include "cli/format.hpp"
#include "cli/format_units.hpp"
#include "cli/options.hpp"
#include "cli/standby.hpp"
#include "cli/standby_record.hpp"
#include "sandbox/owned_directory.hpp"
#include "supervise/time.hpp"
#include "vmm/monitor_spawn.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array columns{
    Column{"ID", "STANDBY ID"}, Column{"Image", "IMAGE"},   Column{"Memory", "MEMORY"},
    Column{"CPUs", "CPUS"},     Column{"Kernel", "KERNEL"}, Column{"Ready", "READY"},
    Column{"Taken", "TAKEN"},   Column{"Keeper", "PID"},    Column{"CreatedSince", "CREATED"},
};
constexpr std::string_view standard =
    "{{.ID}}\t{{.Image}}\t{{.Memory}}\t{{.CPUs}}\t{{.Ready}}\t{{.Taken}}\t{{.Keeper}}\t{{."
    "CreatedSince}}";

constexpr int patience_ms = 10'000;

base::Json row_of(const KeptStandby& kept, std::int64_t now) {
  const auto& record = kept.record;
  return {{"ID", kept.id()},
          {"Image", record.image},
          {"Memory", human_size(static_cast<double>(record.memory_bytes), 3)},
          {"CPUs", std::to_string(record.cpus)},
          {"Kernel", record.kernel.empty() ? "default" : record.kernel},
          {"Ready", fmt::format("{}/{}", record.ready, record.count)},
          {"Taken", std::to_string(record.taken)},
          {"Keeper", std::to_string(kept.keeper)},
          {"CreatedSince", human_duration(now - record.created) + " ago"}};
}

// Whose number it is may have changed since it was looked up, but not once there is a pidfd.
void stop(const KeptStandby& kept) {
  base::Fd keeper;
  try {
    keeper = base::open_pidfd(kept.keeper);
  } catch (const base::Error&) {
    return;  // gone by itself
  }
  if (sandbox::owner_of(kept.place) != kept.keeper) return;
  vmm::send_signal(keeper.get(), SIGTERM);
  pollfd gone{keeper.get(), POLLIN, 0};
  if (::poll(&gone, 1, patience_ms) > 0) return;
  throw base::Error(
      base::ErrorKind::system,
      fmt::format("the keeper of {} (process {}) does not end", kept.record.image, kept.keeper),
      fmt::format("kill it: kill -9 {}", kept.keeper));
}

// By image, which several kinds of machines may wait for, or by the unambiguous beginning of an id.
std::vector<KeptStandby> named(const std::string& word) {
  const auto all = kept_standbys();
  std::vector<KeptStandby> found;
  std::ranges::copy_if(all, std::back_inserter(found),
                       [&](const KeptStandby& kept) { return kept.record.image == word; });
  if (!found.empty()) return found;
  std::ranges::copy_if(all, std::back_inserter(found), [&](const KeptStandby& kept) {
    return !word.empty() && kept.id().starts_with(word);
  });
  if (found.size() == 1) return found;
  throw base::Error(base::ErrorKind::not_found,
                    found.empty() ? fmt::format("no machine waits for '{}'", word)
                                  : fmt::format("several ids begin with '{}'", word),
                    "see: twinbox standby ls");
}

}  // namespace

int list_standbys(const Arguments& arguments) {
  bool quiet = false;
  std::string format_text;
  Options options("standby ls [FLAGS]", "Lists the machines that wait.");
  options.flag("quiet,q", "only their ids", quiet);
  options.value("format", "FORMAT", "table, table TEMPLATE, json, or a Go template", format_text);
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (!words.empty()) {
    throw base::Error(base::ErrorKind::usage, "standby ls takes no arguments", options.see_help());
  }
  const RowFormat format(quiet ? "{{.ID}}" : format_text, columns, standard);
  std::vector<base::Json> rows;
  for (const auto& kept : kept_standbys()) rows.push_back(row_of(kept, supervise::now()));
  fmt::print("{}", format.render(rows));
  return 0;
}

int stop_standbys(const Arguments& arguments) {
  bool all = false;
  Options options("standby stop [FLAGS] [IMAGE|ID...]",
                  "Ends machines that wait. Those that a box has taken go on.");
  options.flag("all,a", "all of them", all);
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (words.empty() != all) {
    throw base::Error(base::ErrorKind::usage, "say which image, or --all", options.see_help());
  }
  int status = 0;
  const auto stop_each = [&](const std::vector<KeptStandby>& found) {
    for (const auto& kept : found) {
      stop(kept);
      fmt::print("{}\n", kept.id());
    }
  };
  if (all) return tell_errors([&] { stop_each(kept_standbys()); });
  for (const auto& word : words) status |= tell_errors([&] { stop_each(named(word)); });
  return status;
}

}  // namespace twinbox::cli
