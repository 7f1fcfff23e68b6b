#include "compare/exit_trace.hpp"

#include <sys/mount.h>

#include <array>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using sandbox::Mark;

constexpr std::array events{"events/kvm/kvm_exit/enable", "events/kvm/kvm_entry/enable"};

// "3.473896" in nanoseconds.
std::uint64_t nanoseconds(std::string_view seconds) {
  const auto point = seconds.find('.');
  if (point == std::string_view::npos) return 0;
  const auto whole = base::parse_number<std::uint64_t>(seconds.substr(0, point)).value_or(0);
  const auto micro = base::parse_number<std::uint64_t>(seconds.substr(point + 1)).value_or(0);
  return whole * 1'000'000'000U + micro * 1000U;
}

// The thread's number in "twinbox-vmm-138 [000] d..1. 3.473896: kvm_exit: ...", where `event` is
// the place of "kvm_exit:". Names have spaces ("CPU 0/KVM-139"), so it is looked for from there.
std::string thread_before(const std::vector<std::string>& words, std::size_t event) {
  for (std::size_t i = event; i > 1; --i) {
    const auto& cpu = words[i - 1];
    if (cpu.starts_with('[') && cpu.ends_with(']')) {
      return words[i - 2].substr(words[i - 2].rfind('-') + 1);
    }
  }
  return {};
}

// "twinbox-vmm-138 [000] d..1. 3.473896: kvm_exit: vcpu 0 reason npf rip ..."
struct Line {
  std::string thread;
  std::uint64_t at_ns = 0;
  bool is_exit = false;
  std::string reason;
};

std::optional<Line> parse_line(const std::string& text) {
  const bool is_exit = text.find(": kvm_exit: ") != std::string::npos;
  if (!is_exit && text.find(": kvm_entry: ") == std::string::npos) return std::nullopt;
  const auto words = base::words(text);
  if (words.size() < 5) return std::nullopt;
  Line line{{}, 0, is_exit, {}};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i + 1].starts_with("kvm_e") && words[i].ends_with(':')) {
      line.at_ns = nanoseconds(std::string_view(words[i]).substr(0, words[i].size() - 1));
      line.thread = thread_before(words, i);
    }
    if (words[i] == "reason") line.reason = words[i + 1];
  }
  return line;
}

std::string_view phase_at(const TracedRun& run, std::uint64_t at_ns) {
  const auto reached = [&](Mark mark) {
    const auto found = run.marks.find(mark);
    return found != run.marks.end() && at_ns >= run.request_ns + found->second;
  };
  if (reached(Mark::ready)) return "stop";
  return reached(Mark::executed) ? "run" : "boot";
}

fs::path trace_directory() {
  const fs::path directory = "/sys/kernel/tracing";
  if (!fs::exists(directory / "trace")) {
    ::mount("tracefs", directory.c_str(), "tracefs", 0, nullptr);
  }
  if (!fs::exists(directory / events.front())) {
    throw base::Error(base::ErrorKind::unsupported,
                      "this kernel does not trace the exits of machines",
                      "it takes root, tracefs, and KVM's module");
  }
  return directory;
}

// "7 (expanded: 1408)": what the buffers are; they are made smaller only once they are used.
std::string chosen_size(const std::string& sizes) {
  auto size = base::words(sizes).back();
  if (size.ends_with(')')) size.pop_back();
  return size;
}

fs::path note_in(const fs::path& workplace) { return workplace / "used-tracing"; }

void switch_events(const fs::path& tracing, bool on) {
  for (const auto* const event : events) base::write_file(tracing / event, on ? "1" : "0");
}

// "local global [mono]": the one in brackets.
std::string chosen(const std::string& clocks) {
  const auto open = clocks.find('[');
  const auto close = clocks.find(']');
  if (open == std::string::npos || close == std::string::npos) return "local";
  return clocks.substr(open + 1, close - open - 1);
}

}  // namespace

std::vector<Exit> parse_exits(std::string_view trace) {
  std::vector<Exit> exits;
  std::map<std::string, std::size_t> open;  // the exit that a thread has not come back from
  for (const auto& text : base::split(trace, '\n')) {
    const auto line = parse_line(text);
    if (!line) continue;
    if (line->is_exit) {
      open[line->thread] = exits.size();
      exits.push_back({line->at_ns, 0, line->reason});
    } else if (const auto found = open.find(line->thread); found != open.end()) {
      auto& exit = exits[found->second];
      exit.took_ns = line->at_ns - exit.at_ns;
      open.erase(found);
    }
  }
  return exits;
}

std::vector<ExitCount> count_exits(const std::string& engine, const std::string& workload,
                                   const std::vector<TracedRun>& runs) {
  struct Sum {
    std::uint64_t count = 0;
    std::uint64_t time_ns = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const auto& run : runs) {
    for (const auto& exit : run.exits) {
      auto& sum = sums[{std::string(phase_at(run, exit.at_ns)), exit.reason}];
      ++sum.count;
      sum.time_ns += exit.took_ns;
    }
  }
  std::vector<ExitCount> counts;
  const auto number = static_cast<double>(runs.size());
  for (const auto& [key, sum] : sums) {
    counts.push_back({engine, workload, key.first, key.second,
                      static_cast<double>(sum.count) / number, sum.time_ns / runs.size()});
  }
  return counts;
}

ExitTrace::ExitTrace(fs::path workplace, const fs::path& tracing)
    : workplace_(std::move(workplace)), tracing_(tracing.empty() ? trace_directory() : tracing) {
  // Noted before anything is changed: a comparison that is killed leaves it to the next.
  base::write_file(note_in(workplace_),
                   fmt::format("{}\n{}\n{}\n", tracing_.string(),
                               chosen(base::read_file(tracing_ / "trace_clock")),
                               chosen_size(base::read_file(tracing_ / "buffer_size_kb"))));
  base::write_file(tracing_ / "trace_clock", "mono");
  base::write_file(tracing_ / "buffer_size_kb", "16384");  // a stock kernel's boot fills 3 MiB
  base::write_file(tracing_ / "trace", "\n");
  switch_events(tracing_, true);
}

ExitTrace::~ExitTrace() {
  try {
    undo_tracing(workplace_);
  } catch (const base::Error&) {
    // It stays noted, and is tried again with what else the comparison leaves.
  }
}

std::vector<Exit> ExitTrace::take() {
  switch_events(tracing_, false);
  return parse_exits(base::read_file(tracing_ / "trace"));
}

void undo_tracing(const fs::path& workplace) {
  const auto note = note_in(workplace);
  if (!fs::exists(note)) return;
  const auto lines = base::split(base::read_file(note), '\n');
  if (lines.size() >= 3) {
    const fs::path tracing(lines[0]);
    switch_events(tracing, false);
    base::write_file(tracing / "trace_clock", lines[1]);
    base::write_file(tracing / "buffer_size_kb", lines[2]);
  }
  fs::remove(note);  // one that is not whole was written before anything was changed
}

}  // namespace twinbox::compare
