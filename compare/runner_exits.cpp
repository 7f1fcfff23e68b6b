// The runner's starts of machines that are traced.

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/error.hpp"
#include "compare/runner.hpp"

namespace twinbox::compare {

// In runs of their own: being traced takes time.
void Runner::measure_exits() {
  for (const auto& engine : result_.engines) {
    const auto& finished = journal_.finished().exits;
    const bool done = std::ranges::any_of(
        finished, [&](const ExitCount& exit) { return exit.engine == engine.name; });
    if (done || engine.kind != BoxKind::machine || is_left_out(engine.name, "exits")) continue;
    progress_.say("exits: " + engine.name);
    Result part;
    try {
      std::vector<TracedRun> runs;
      for (int i = 0; i < 3; ++i) runs.push_back(trace_start(engine.name));
      part.exits = count_exits(engine.name, plan_.start.name, runs);
    } catch (const base::Error& error) {
      result_.audit.push_back({"exits counted", AuditState::warn,
                               fmt::format("not of {}: {}", engine.name, error.message())});
    }
    // A machine that is emulated by a program has none.
    if (!part.exits.empty()) journal_.append(part);
  }
}

TracedRun Runner::trace_start(const std::string& engine) {
  settle();
  ExitTrace trace(context_.scratch);
  Box box(*adapters_.at(engine), request_for(engine, plan_.start));
  const std::chrono::seconds timeout(plan_.timeout_s);
  const bool ready = box.instance().wait_ready(timeout);
  const auto end = box.instance().finish(timeout);
  // Exits of a boot that failed are not those of a boot.
  if (!ready || end.status != 0) throw failure_of(box);
  return {trace.take(), box.instance().stamps().request, box.marks()};
}

}  // namespace twinbox::compare
