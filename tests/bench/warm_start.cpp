// From the spawn of a command to the first output of its workload, `busybox echo ready`: machines
// that start warm, of two sizes, our containers, and runc where it is there, in turn. Made for the
// deterministic lab:
//
//   twinbox lab exec --deterministic --with warm_start --with /usr/sbin/runc -- warm_start
//
// Exits 1 when a warm start takes longer than BAR-IN-MILLISECONDS (5, the goal), as long as runc,
// or twice as long as a container.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "compare/instance.hpp"
#include "image/store.hpp"
#include "image/workload.hpp"

namespace twinbox {
namespace {

using namespace std::chrono_literals;

constexpr const char* small_machine = "vm, 128 MiB";
constexpr const char* large_machine = "vm, 2 GiB";
constexpr const char* container = "container";
constexpr const char* runc = "runc";

struct Contender {
  std::string name;
  std::vector<std::string> command;
  std::vector<double> milliseconds{};
};

// Empty where it is not there.
std::string program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  for (const auto& directory : base::split(path == nullptr ? "" : path, ':')) {
    const auto file = directory + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

// The same workload as ours, from the same description, in the image's one layer.
void make_bundle(const std::filesystem::path& directory) {
  image::Store store;
  const auto image = store.prepare("busybox");
  auto spec = image::make_workload(
      image, {.command = {"echo", "ready"}, .env = {}, .working_directory = {}, .user = {}});
  spec.root_readonly = true;
  auto config = base::parse_json(sandbox::to_json(spec), "config.json");
  config["root"] = {{"path", image.root.directories.front().string()}, {"readonly", true}};
  base::write_file(directory / "config.json", config.dump());
}

std::vector<Contender> contenders(const std::filesystem::path& bundle) {
  const auto ours = [](const std::string& engine, const std::string& memory) {
    return std::vector<std::string>{program("twinbox"), "run",  "--rm",    "--as", engine,
                                    "--memory",         memory, "busybox", "echo", "ready"};
  };
  std::vector<Contender> all{{small_machine, ours("vm", "128m")},
                             {large_machine, ours("vm", "2g")},
                             {container, ours("container", "128m")}};
  if (const auto path = program(runc); !path.empty()) {
    make_bundle(bundle);
    all.push_back({runc, {path, "run", "--bundle", bundle.string(), "bench"}});
  }
  return all;
}

double first_output(const std::vector<std::string>& command) {
  // What the run before has left to the kernel, and the clock's ticks, are not this one's time.
  std::this_thread::sleep_until(std::chrono::ceil<std::chrono::duration<std::int64_t, std::deci>>(
      std::chrono::steady_clock::now() + 50ms));
  compare::Instance instance(command, compare::Instance::Input::none);
  const bool ready = instance.wait_ready(300s);
  const auto end = instance.finish(300s);
  if (!ready || end.status != 0) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("{} ended with {}: {}", fmt::join(command, " "), end.status,
                                  instance.errors()));
  }
  const auto& stamps = instance.stamps();
  return static_cast<double>(stamps.first_output - stamps.request) / 1e6;
}

double median(std::vector<double> samples) {
  std::ranges::sort(samples);
  return samples[samples.size() / 2];
}

int run(int rounds, double bar) {
  const base::TemporaryDirectory bundle;
  auto all = contenders(bundle.path());
  for (int round = 0; round <= rounds; ++round) {
    for (auto& one : all) {
      const auto time = first_output(one.command);
      if (round > 0)
        one.milliseconds.push_back(time);  // the first makes templates and fills caches
    }
  }
  std::map<std::string, double> medians;
  for (const auto& one : all) {
    medians[one.name] = median(one.milliseconds);
    const auto [least, most] = std::ranges::minmax(one.milliseconds);
    fmt::print("{:14} {:8.3f} ms ({:.3f} to {:.3f})\n", one.name, medians[one.name], least, most);
  }
  const auto slower = std::max(medians[small_machine], medians[large_machine]);
  const auto ratio = slower / medians[container];
  const bool beats_runc = !medians.contains(runc) || slower < medians[runc];
  fmt::print("the slower machine takes {:.2f} of a container{}\n", ratio,
             medians.contains(runc) ? fmt::format(", {:.2f} of runc", slower / medians[runc]) : "");
  return slower <= bar && ratio < 2 && beats_runc ? 0 : 1;
}

}  // namespace
}  // namespace twinbox

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() > 2) {
    fmt::print(stderr, "usage: warm_start [ROUNDS [BAR-IN-MILLISECONDS]]\n");
    return 2;
  }
  try {
    const auto rounds = words.empty() ? 5 : std::stoi(words[0]);
    const auto bar = words.size() < 2 ? 5.0 : std::stod(words[1]);
    return twinbox::run(rounds, bar);
  } catch (const std::exception& error) {
    fmt::print(stderr, "warm_start: {}\n", error.what());
    return 1;
  }
}
