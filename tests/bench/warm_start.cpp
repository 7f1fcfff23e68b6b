// From the spawn of a command to the first output of its workload, `busybox echo ready`: machines
// of two sizes that wait for it (`twinbox standby`), or start from a template, our containers, and
// runc where it is there, in turn. Made for the deterministic lab:
//
//   twinbox lab exec --deterministic --with warm_start --with /usr/sbin/runc -- warm_start
//
// Exits 1 when a machine that waits takes longer than BAR-IN-MILLISECONDS (5, the goal), or one
// from a template as long as runc, or twice as long as a container.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/command.hpp"
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

constexpr const char* small_standby = "vm on standby, 128 MiB";
constexpr const char* large_standby = "vm on standby, 2 GiB";
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
  const auto ours = [](const std::string& memory, const std::vector<std::string>& as) {
    std::vector<std::string> command{program("twinbox"), "run", "--rm", "--memory", memory, "--as"};
    command.insert(command.end(), as.begin(), as.end());
    command.insert(command.end(), {"busybox", "echo", "ready"});
    return command;
  };
  std::vector<Contender> all{{small_standby, ours("128m", {"vm"})},
                             {large_standby, ours("2g", {"vm"})},
                             {small_machine, ours("128m", {"vm", "--standby=false"})},
                             {large_machine, ours("2g", {"vm", "--standby=false"})},
                             {container, ours("128m", {"container"})}};
  if (const auto path = program(runc); !path.empty()) {
    make_bundle(bundle);
    all.push_back({runc, {path, "run", "--bundle", bundle.string(), "bench"}});
  }
  return all;
}

// What twinbox prints.
std::string ask(std::vector<std::string> words) {
  words.insert(words.begin(), program("twinbox"));
  const auto result = base::run_command(words);
  if (result.status != 0) throw base::Error(base::ErrorKind::system, result.err);
  return result.out;
}

// One of each size that is on standby, until this ends.
class Standby {
 public:
  Standby() {
    for (const auto* const memory : {"128m", "2g"}) {
      ask({"standby", "start", "--memory", memory, "busybox"});
    }
  }
  Standby(const Standby&) = delete;
  Standby& operator=(const Standby&) = delete;
  ~Standby() {
    try {
      ask({"standby", "stop", "--all"});
    } catch (const base::Error& error) {
      fmt::print(stderr, "warm_start: {}\n", error.what());
    }
  }

  // So that nobody makes one while another contender is measured.
  static void wait_until_ready() {
    std::this_thread::sleep_for(200ms);  // one that was taken is missed by then
    while (ask({"standby", "ls", "--format", "{{.Ready}}"}) != "1/1\n1/1\n")
      std::this_thread::sleep_for(50ms);
  }
};

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
  const Standby standby;
  for (int round = 0; round <= rounds; ++round) {
    for (auto& one : all) {
      Standby::wait_until_ready();
      const auto time = first_output(one.command);
      if (round > 0)
        one.milliseconds.push_back(time);  // the first makes templates and fills caches
    }
  }
  std::map<std::string, double> medians;
  for (const auto& one : all) {
    medians[one.name] = median(one.milliseconds);
    const auto [least, most] = std::ranges::minmax(one.milliseconds);
    fmt::print("{:24} {:8.3f} ms ({:.3f} to {:.3f})\n", one.name, medians[one.name], least, most);
  }
  const auto waiting = std::max(medians[small_standby], medians[large_standby]);
  const auto slower = std::max(medians[small_machine], medians[large_machine]);
  const auto ratio = slower / medians[container];
  const bool beats_runc = !medians.contains(runc) || slower < medians[runc];
  fmt::print(
      "of a container's time the slower machine on standby takes {:.2f}, and from a template "
      "{:.2f}{}\n",
      waiting / medians[container], ratio,
      medians.contains(runc) ? fmt::format(", {:.2f} of runc's", slower / medians[runc]) : "");
  return waiting <= bar && ratio < 2 && beats_runc ? 0 : 1;
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
