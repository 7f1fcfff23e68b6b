// The one interface between the comparison and every engine: how an instance is started and what
// belongs to it. Marks, streams, memory and time are taken by the same code for all.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compare/plan.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

// What engines say as their setting "writable layer" whose root is on a disk, when workloads' own
// place for files is in memory all the same.
inline constexpr const char* writable_layer_but_tmp = "disk, /tmp in memory";

struct LaunchRequest {
  std::string
      id;  // unique in this comparison: a file name, and the name of the box where it has one
  std::vector<std::string> args;
  std::string image;
  std::string memory;
  bool held_open = false;  // the workload reads its standard input
  bool count_cpu = false;  // at each mark: those of the measuring process, and of our own engines
};

// A command to spawn. Whatever it needs is made beforehand and undone with `holds`, after its end.
struct Launch {
  std::vector<std::string> command;
  std::filesystem::path marks{};  // where its own marks will be; empty: it gives none
  std::shared_ptr<void> holds{};
  bool reads_cpu_counter = false;  // at its own marks, when it is handed one
};

// A stretch of time between two moments (CLOCK_MONOTONIC, nanoseconds).
struct Stretch {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

// A command that brings an image, a local archive, into an engine's store, in which there is
// nothing of it yet.
struct ImageImport {
  std::vector<std::string> command;
  std::vector<std::string> environment;  // beside that of this process, each "NAME=value"
  // After the command: throws base::Error unless the store has that very image. Tells when what
  // was stored was made into what the engine's boxes mount, where the engine tells it.
  std::function<std::optional<Stretch>()> check;
  std::shared_ptr<void> holds{};  // outlives the check
};

class Adapter {
 public:
  virtual ~Adapter() = default;

  // What it is: its title, kind, version, settings, and why it cannot give a mark.
  virtual Engine describe() const = 0;
  // Brings an image into its own store, if it has one; once for each image of a plan, before
  // anything is timed. Throws base::Error when the engine cannot be used here.
  virtual void prepare(const std::string& image) = 0;
  // Why there is no import to measure; empty for an engine with a store of images.
  virtual std::string why_no_import() const { return "it keeps no images"; }
  // Of an engine with a store. What the store has of the image is removed from it; the check of the
  // import says that it is there again. Throws base::Error where it cannot be removed.
  virtual ImageImport import_image(const std::string& image);
  virtual Launch launch(const LaunchRequest& request) = 0;
  // Roots of process trees that belong to a running instance besides that of its command.
  virtual std::vector<pid_t> further_processes(const LaunchRequest& request) const;
  // Whether all that works for the instance descends from the command.
  virtual bool counts_cpu_time() const { return true; }
};

struct AdapterContext {
  std::filesystem::path program;  // the twinbox command
  std::filesystem::path scratch;  // for short-lived files
};

// The adapter of one of the plan's engines. The plan outlives it.
std::unique_ptr<Adapter> make_adapter(const Plan& plan, const std::string& name,
                                      const AdapterContext& context);

// Why no engine but ours gives the marks between the spawn and the first output.
std::map<sandbox::Mark, std::string> no_inner_marks(const std::string& program);
// The first line that `command` prints; empty when it cannot be run.
std::string first_line_of(const std::vector<std::string>& command);
// Throws base::Error (not_found) unless `program` is in PATH.
void require_program(const std::string& program, const std::string& package);
// What is the same in the description of every engine.
Engine describe_common(const Plan& plan, const std::string& name, BoxKind kind,
                       const std::string& title);

}  // namespace twinbox::compare
