#include "compare/engines/oci_manager.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "compare/engines/leftovers.hpp"
#include "compare/procfs.hpp"

namespace twinbox::compare {
namespace {

// This process's own limit, as --ulimit takes it, and at most `most`.
std::string own_limit(const char* name, decltype(RLIMIT_NOFILE) resource,
                      rlim_t most = RLIM_INFINITY) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  const auto number = [&](rlim_t value) {
    value = std::min(value, most);
    return value == RLIM_INFINITY ? std::string("-1") : std::to_string(value);
  };
  return fmt::format("{}={}:{}", name, number(limit.rlim_cur), number(limit.rlim_max));
}

// Podman lowers its own limit of processes to this.
rlim_t most_processes() {
  auto text = base::read_file("/proc/sys/kernel/pid_max");
  text.erase(text.find_last_not_of('\n') + 1);
  return base::parse_number<rlim_t>(text).value_or(RLIM_INFINITY);
}

pid_t pid_of(std::string_view text) {
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

std::optional<pid_t> parent_of(pid_t pid) {
  try {
    return parse_parent(base::read_file(fmt::format("/proc/{}/stat", pid)));
  } catch (const base::Error&) {
    return std::nullopt;  // it is gone
  }
}

}  // namespace

std::string OciManager::run(std::vector<std::string> arguments, const std::string& what) const {
  const auto before = manager_command(settings_.engine);
  arguments.insert(arguments.begin(), before.begin(), before.end());
  const auto result = base::run_command(arguments);
  if (result.status == 0) return result.out;
  throw base::Error(base::ErrorKind::system,
                    fmt::format("{} cannot {}: {}", settings_.engine, what, result.err),
                    is_docker() ? "is its daemon running, and $DOCKER_HOST right?" : "");
}

Engine OciManager::describe() const {
  auto engine = describe_common(plan_, name_, BoxKind::container, settings_.engine);
  engine.version = first_line_of({settings_.engine, "--version"});
  engine.missing_marks = no_inner_marks(settings_.engine);
  engine.settings.push_back({"writable layer", writable_layer_but_tmp});
  engine.settings.push_back({"runtime", "runc"});
  engine.settings.push_back({"network", "none"});
  if (is_docker()) {
    engine.settings.push_back({"CPU time", "not known: a daemon works for the command"});
  }
  return engine;
}

void OciManager::prepare(const std::string& image) {
  require_program(settings_.engine, is_docker() ? "docker.io" : "podman");
  note_use(context_.scratch, settings_.engine);
  const auto name = name_in_store(image, context_.scratch);
  const auto archive = context_.scratch / (name_ + ".tar");
  material(image).write_archive(archive, name, context_.scratch);
  run({"load", "--quiet", "--input", archive.string()}, "load the image");
  std::filesystem::remove(archive);
  // The same config, and so the same layers, or it is not the same image.
  auto id = run({"image", "inspect", "--format", "{{.Id}}", name}, "look at the image");
  id.erase(id.find_last_not_of('\n') + 1);
  if (!id.starts_with("sha256:")) id.insert(0, "sha256:");
  if (id != material(image).id()) {
    throw base::Error(base::ErrorKind::internal,
                      fmt::format("{} has the image {} as {}, not {}", settings_.engine, image, id,
                                  material(image).id()));
  }
}

Launch OciManager::launch(const LaunchRequest& request) {
  auto command = manager_command(settings_.engine);
  command.insert(command.end(), {"run", "--rm", "--name", request.id, "--network", "none",
                                 "--memory", request.memory, "--cpus", std::to_string(cpus()),
                                 "--tmpfs", "/tmp:exec,mode=1777"});
  // Podman would raise these to what not every host allows; docker's daemon has its own.
  if (!is_docker()) {
    command.insert(command.end(), {"--ulimit", own_limit("nofile", RLIMIT_NOFILE), "--ulimit",
                                   own_limit("nproc", RLIMIT_NPROC, most_processes())});
  }
  if (request.held_open) command.emplace_back("--interactive");
  command.push_back(name_in_store(request.image, context_.scratch));
  command.insert(command.end(), request.args.begin(), request.args.end());
  return {.command = std::move(command)};
}

std::vector<pid_t> OciManager::further_processes(const LaunchRequest& request) const {
  const auto format = is_docker() ? "{{.State.Pid}}" : "{{.State.ConmonPid}}";
  const auto found = pid_of(run({"inspect", "--format", format, request.id}, "inspect a box"));
  if (found <= 0) return {};
  // docker's shim is the parent of the box's first process; podman's monitor is told as such.
  return {is_docker() ? parent_of(found).value_or(found) : found};
}

}  // namespace twinbox::compare
