#include "cli/engines.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/boxes.hpp"
#include "container/engine.hpp"
#include "image/store.hpp"
#include "qemu/engine.hpp"
#include "qemu/lab.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/engine.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::cli {
namespace {

template <typename Type>
std::unique_ptr<sandbox::Engine> make() {
  return std::make_unique<Type>();
}

std::unique_ptr<sandbox::Engine> make_qemu() {
  return std::make_unique<qemu::QemuEngine>(
      qemu::QemuOptions{.prepare_kernel = vmm::prepare_kernel});
}

struct Entry {
  std::string_view name;
  std::unique_ptr<sandbox::Engine> (*make)();
};

constexpr std::array engines{
    Entry{"container", make<container::ContainerEngine>},
    Entry{"vm", make<vmm::VmEngine>},
    Entry{"qemu", make_qemu},
    Entry{"process", make<container::ProcessEngine>},
};

void clean_up(const std::string& engine, const std::string& id,
              const std::filesystem::path& directory) {
  for (const auto& entry : engines) {
    if (engine.empty() || engine == entry.name) entry.make()->clean_up(id, directory);
  }
}

std::string in_the_lab(const WantedRun& run) {
  std::vector<std::string> words{"twinbox", "lab",  "exec", "--",     "twinbox",
                                 "run",     "--as", "vm",   run.image};
  words.insert(words.end(), run.command.begin(), run.command.end());
  return base::shell_line(words);
}

[[noreturn]] void fail_without_machines(const vmm::kvm::HostSupport& host,
                                        const base::Error& without_qemu, const WantedRun& run) {
  const bool only_lab_helps =
      host.hint.empty() || host.hint.find("twinbox lab") != std::string::npos;
  throw base::Error(
      base::ErrorKind::unsupported,
      fmt::format("{}; and {}", host.explanation, without_qemu.message()),
      fmt::format("{}run it in the lab, which emulates such a host: {}; or {}",
                  only_lab_helps ? "" : host.hint + "; or ", in_the_lab(run), without_qemu.hint()));
}

// Our own monitor needs hardware virtualization. Where the host has none, QEMU emulates a machine.
std::unique_ptr<sandbox::Engine> stand_in_for_monitor(const vmm::kvm::HostSupport& host,
                                                      const WantedRun& run) {
  auto qemu = make_engine("qemu");
  try {
    qemu->check_host();
  } catch (const base::Error& error) {
    fail_without_machines(host, error, run);
  }
  fmt::print(stderr, "twinbox: {}; QEMU runs this machine (our own monitor does in the lab: {})\n",
             host.explanation, in_the_lab(run));
  return qemu;
}

}  // namespace

std::string engine_names() {
  std::string names;
  for (const auto& entry : engines) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.name);
  }
  return names;
}

std::unique_ptr<sandbox::Engine> make_engine(std::string_view name) {
  const auto* const found = std::ranges::find(engines, name, &Entry::name);
  if (found != engines.end()) return found->make();
  throw base::Error(base::ErrorKind::usage, fmt::format("there is no engine '{}'", name),
                    fmt::format("--as takes one of: {}", engine_names()));
}

std::unique_ptr<sandbox::Engine> usable_engine(std::unique_ptr<sandbox::Engine> wanted,
                                               const WantedRun& run) {
  if (wanted->name() == "vm") {
    const auto host = vmm::kvm::probe_host();
    if (!host.runs_linux()) return stand_in_for_monitor(host, run);
  }
  wanted->check_host();
  return wanted;
}

void load_engines_of(const std::vector<std::string>& references) {
  try {
    for (const auto& reference : references) {
      const auto record = box_store().find(reference);
      if (record.settings.engine == "qemu") make_engine("qemu")->check_host();
    }
  } catch (const base::Error&) {  // whoever starts the box says so
  }
}

void sweep_leftovers() {
  constexpr std::array<void (*)(), 4> sweeps{[] { box_store().sweep(clean_up); },
                                             [] { image::Store().sweep(); }, qemu::clean_up_qemu,
                                             qemu::clean_up_labs};
  for (const auto& sweep : sweeps) {
    try {
      sweep();
    } catch (const base::Error& error) {
      // What others have left, and this user may not undo, is no reason to refuse a command.
      base::log(base::LogLevel::debug, "leftovers stay: {}", error.what());
    }
  }
}

}  // namespace twinbox::cli
