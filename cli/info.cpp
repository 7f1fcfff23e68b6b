// twinbox info: this host as boxes see it.
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/boxes.hpp"
#include "cli/engines.hpp"
#include "cli/format.hpp"
#include "cli/format_units.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "image/store.hpp"
#include "sandbox/paths.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::cli {
namespace {

using supervise::Status;

// With the reason where it is not usable, and the versions of what it relies on where it is.
base::Json engine_information(const std::string& name) {
  base::Json result = {{"Name", name}, {"Usable", true}, {"Reason", ""}};
  result["Versions"] = base::Json::object();
  try {
    const auto engine = make_engine(name);
    engine->check_host();
    for (const auto& [what, version] : engine->versions()) result["Versions"][what] = version;
  } catch (const base::Error& error) {
    result["Usable"] = false;
    result["Reason"] = error.message();
  }
  return result;
}

base::Json engines() {
  auto engines = base::Json::array();
  auto names = engine_names();
  std::erase(names, ' ');
  for (const auto& name : base::split(names, ',')) engines.push_back(engine_information(name));
  return engines;
}

// The unified hierarchy is mounted at the very top where it is the only one.
std::string cgroup_version() {
  return std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers") ? "2" : "1";
}

base::Json information() {
  const auto boxes = box_store().list();
  const auto count = [&](Status status) {
    return std::ranges::count_if(boxes,
                                 [&](const auto& box) { return box.state.status == status; });
  };
  utsname system{};
  ::uname(&system);
  const auto running = count(Status::running) + count(Status::restarting);
  const auto paused = count(Status::paused);
  return {{"ServerVersion", TWINBOX_VERSION},
          {"Containers", boxes.size()},
          {"ContainersRunning", running},
          {"ContainersPaused", paused},
          {"ContainersStopped", static_cast<std::int64_t>(boxes.size()) - running - paused},
          {"Images", image::Store().list().size()},
          {"Engines", engines()},
          {"VmEngine", vmm::kvm::probe_host().runs_linux() ? "vm" : "qemu"},
          {"KernelVersion", system.release},
          {"Architecture", system.machine},
          {"CgroupVersion", cgroup_version()},
          {"NCPU", ::sysconf(_SC_NPROCESSORS_ONLN)},
          {"MemTotal", ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE)},
          {"Name", system.nodename},
          {"DockerRootDir", sandbox::data_root().string()}};
}

void print_table(const base::Json& info) {
  fmt::print("Version: {}\n", std::string(info["ServerVersion"]));
  fmt::print("Boxes: {}\n Running: {}\n Paused: {}\n Stopped: {}\nImages: {}\n",
             info["Containers"].dump(), info["ContainersRunning"].dump(),
             info["ContainersPaused"].dump(), info["ContainersStopped"].dump(),
             info["Images"].dump());
  fmt::print("Engines:\n");
  for (const auto& engine : info["Engines"]) {
    std::string state = engine["Usable"] ? "usable" : std::string(engine["Reason"]);
    for (const auto& [what, version] : engine["Versions"].items()) {
      state += fmt::format(", {} {}", what, std::string(version));
    }
    fmt::print(" {}: {}\n", std::string(engine["Name"]), state);
  }
  fmt::print("--as vm means here: {}\n", std::string(info["VmEngine"]));
  fmt::print("Kernel Version: {}\nArchitecture: {}\nCgroup Version: {}\n",
             std::string(info["KernelVersion"]), std::string(info["Architecture"]),
             std::string(info["CgroupVersion"]));
  fmt::print("CPUs: {}\nTotal Memory: {}\nName: {}\nData: {}\n", info["NCPU"].dump(),
             binary_size(info["MemTotal"].get<double>()), std::string(info["Name"]),
             std::string(info["DockerRootDir"]));
}

}  // namespace

int info(const Arguments& arguments) {
  std::string format;
  Options options("info [FLAGS]", "Shows this host's engines, kernel, boxes and images.");
  options.value("format,f", "FORMAT", "json, or a Go template", format);
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (!words.empty()) {
    throw base::Error(base::ErrorKind::usage, "info takes no arguments", options.see_help());
  }
  if (format.empty()) {
    print_table(information());
  } else {
    fmt::print("{}\n", format_template(format).render(information()));
  }
  return 0;
}

}  // namespace twinbox::cli
