// twinbox run: an image's workload in a new box.

#include <fmt/format.h>

#include <cstdio>

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

// A machine needs more of its host than a container. Where the host has it not, the lab has.
void check_host(const sandbox::Engine& engine, const RunOptions& options) {
  const auto host = engine.name() == "vm" ? vmm::kvm::probe_host() : vmm::kvm::HostSupport();
  if (engine.name() != "vm" || host.runs_linux()) return engine.check_host();
  const auto command = fmt::format("twinbox lab exec -- twinbox run --as vm {} {}", options.image,
                                   fmt::join(options.command, " "));
  const bool only_lab_helps =
      host.hint.empty() || host.hint.find("twinbox lab") != std::string::npos;
  throw base::Error(base::ErrorKind::unsupported, host.explanation,
                    fmt::format("{}run it in the lab, which emulates such a host: {}",
                                only_lab_helps ? "" : host.hint + "; or ", command));
}

// The box, its directory and its hold on the image are gone when this returns.
BoxResult run_box(const RunOptions& options) {
  const auto engine = make_engine(options.engine);
  const auto prepared = image::Store().prepare(options.image);
  auto spec = make_spec(options, prepared);
  check_host(*engine, options);
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
