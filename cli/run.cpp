// twinbox run: an image's workload in a new box.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "cli/box_runner.hpp"
#include "cli/engines.hpp"
#include "cli/run_options.hpp"
#include "cli/verbs.hpp"
#include "sandbox/state_store.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::cli {
namespace {

struct BoxResult {
  sandbox::Outcome outcome;
  sandbox::Marks marks;
};

std::string in_the_lab(const RunOptions& options) {
  return fmt::format("twinbox lab exec -- twinbox run --as vm {} {}", options.image,
                     fmt::join(options.command, " "));
}

[[noreturn]] void fail_without_machines(const vmm::kvm::HostSupport& host,
                                        const base::Error& without_qemu,
                                        const RunOptions& options) {
  const bool only_lab_helps =
      host.hint.empty() || host.hint.find("twinbox lab") != std::string::npos;
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("{}; and {}", host.explanation, without_qemu.message()),
                    fmt::format("{}run it in the lab, which emulates such a host: {}; or {}",
                                only_lab_helps ? "" : host.hint + "; or ", in_the_lab(options),
                                without_qemu.hint()));
}

// Our own monitor needs hardware virtualization. Where the host has none, QEMU emulates a machine.
std::unique_ptr<sandbox::Engine> stand_in_for_monitor(const vmm::kvm::HostSupport& host,
                                                      const RunOptions& options) {
  auto qemu = make_engine("qemu");
  try {
    qemu->check_host();
  } catch (const base::Error& error) {
    fail_without_machines(host, error, options);
  }
  fmt::print(stderr, "twinbox: {}; QEMU runs this machine (our own monitor does in the lab: {})\n",
             host.explanation, in_the_lab(options));
  return qemu;
}

// The one that the flag means on this host, which can run it.
std::unique_ptr<sandbox::Engine> usable_engine(std::unique_ptr<sandbox::Engine> wanted,
                                               const RunOptions& options) {
  if (wanted->name() == "vm") {
    const auto host = vmm::kvm::probe_host();
    if (!host.runs_linux()) return stand_in_for_monitor(host, options);
  }
  wanted->check_host();
  return wanted;
}

// The box, its directory and its hold on the image are gone when this returns.
BoxResult run_box(const RunOptions& options) {
  auto wanted = make_engine(options.engine);
  const auto prepared = image::Store().prepare(options.image);
  auto spec = make_spec(options, prepared);
  const auto engine = usable_engine(std::move(wanted), options);
  const auto directory =
      sandbox::BoxDirectory::create(sandbox::boxes_directory(), engine->name(), options.image);
  if (spec.hostname.empty()) spec.hostname = directory.id();
  const auto box = engine->create({.id = directory.id(),
                                   .directory = directory.path(),
                                   .spec = std::move(spec),
                                   .root = prepared.root,
                                   .stdio = {}});
  auto outcome = run_in_foreground(*box);
  return {std::move(outcome), box->marks()};
}

void report(const sandbox::Outcome& outcome) {
  if (!outcome.error) return;
  fmt::print(stderr, "twinbox: {}\n", outcome.error->message());
  if (!outcome.error->hint().empty()) fmt::print(stderr, "hint: {}\n", outcome.error->hint());
}

}  // namespace

int run(const Arguments& arguments) {
  const auto entered = base::monotonic_now();
  RunOptions run_options;
  Options options("run [FLAGS] IMAGE [COMMAND...]",
                  "Runs IMAGE's workload, or COMMAND in IMAGE, in a new box and exits with its "
                  "status.\n125: twinbox failed; 126: the command cannot be executed; 127: it is "
                  "not there; 128+n: killed by signal n.");
  run_options.declare(options);
  auto words = options.parse(arguments);
  if (options.help_shown()) return 0;
  run_options.take_words(std::move(words), options);
  auto result = run_box(run_options);
  report(result.outcome);
  if (!run_options.marks.empty()) {
    // What the engine does not stamp itself; the first stamp of a mark stands.
    result.marks.stamp(sandbox::Mark::entered, entered);
    result.marks.stamp(sandbox::Mark::gone);
    base::write_file(run_options.marks, result.marks.to_json());
  }
  return result.outcome.status;
}

}  // namespace twinbox::cli
