#include "compare/box.hpp"

#include <array>
#include <optional>
#include <ratio>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/interruption.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

sandbox::Marks read_marks(const std::filesystem::path& file) {
  if (file.empty() || !std::filesystem::exists(file)) return {};
  return sandbox::Marks::from_json(base::read_file(file), file.string());
}

constexpr std::array marks_of_engines{Mark::entered, Mark::created, Mark::booted, Mark::executed};

Instance::Cpu counting(const LaunchRequest& request, const Launch& launch) {
  if (!request.count_cpu) return Instance::Cpu::not_counted;
  return launch.reads_cpu_counter ? Instance::Cpu::handed_on : Instance::Cpu::counted;
}

}  // namespace

Box::Box(Adapter& adapter, LaunchRequest request)
    : adapter_(&adapter),
      request_(std::move(request)),
      launch_(adapter.launch(request_)),
      instance_(launch_.command,
                request_.held_open ? Instance::Input::held_open : Instance::Input::none,
                counting(request_, launch_)) {}

std::vector<pid_t> Box::processes() const {
  auto roots = adapter_->further_processes(request_);
  roots.insert(roots.begin(), instance_.pid());
  return roots;
}

std::map<Mark, std::uint64_t> Box::marks() const {
  const auto& stamps = instance_.stamps();
  std::map<Mark, std::uint64_t> marks{{Mark::request, 0},
                                      {Mark::gone, stamps.gone - stamps.request}};
  const auto add = [&](Mark mark, std::uint64_t at) {
    if (at >= stamps.request) marks[mark] = at - stamps.request;
  };
  add(Mark::first_output, stamps.first_output);
  // What says nothing when it is ready is ready when it ends, and has no tear-down.
  add(Mark::ready, stamps.ready == 0 ? stamps.gone : stamps.ready);
  const auto own = read_marks(launch_.marks);
  for (const auto mark : marks_of_engines) add(mark, own.at(mark).value_or(0));
  return marks;
}

std::map<Mark, std::uint64_t> Box::cpu_at_marks() const {
  const auto& stamps = instance_.cpu_stamps();
  std::map<Mark, std::uint64_t> spent;
  const auto add = [&](Mark mark, std::optional<std::uint64_t> nanoseconds) {
    if (nanoseconds) spent[mark] = *nanoseconds;
  };
  add(Mark::first_output, stamps.first_output);
  add(Mark::ready, stamps.ready ? stamps.ready : stamps.gone);
  add(Mark::gone, stamps.gone);
  const auto own = read_marks(launch_.marks);
  for (const auto mark : marks_of_engines) add(mark, own.cpu_at(mark));
  return spent;
}

std::string reason_in(const std::string& errors) {
  const auto hint = ("\n" + errors).rfind("\nhint:");
  const auto said = errors.substr(0, hint == std::string::npos ? errors.size() : hint);
  const auto end = said.find_last_not_of('\n');
  if (end == std::string::npos) return "it said nothing";
  const auto newline = said.rfind('\n', end);
  const auto start = newline == std::string::npos ? 0 : newline + 1;
  return said.substr(start, end + 1 - start);
}

void wait_for_quiet() {
  using namespace std::chrono_literals;
  using Grid = std::chrono::duration<std::int64_t, std::deci>;
  const auto earliest = std::chrono::steady_clock::now() + 50ms;
  std::this_thread::sleep_until(std::chrono::ceil<Grid>(earliest));
  stop_if_interrupted();
}

}  // namespace twinbox::compare
