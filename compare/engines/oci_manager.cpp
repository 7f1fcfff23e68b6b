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
#include "image/digest.hpp"

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

std::vector<std::string> OciManager::command_of(const std::vector<std::string>& arguments) const {
  auto command = manager_command(settings_.engine);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::string OciManager::run(const std::vector<std::string>& arguments,
                            const std::string& what) const {
  const auto result = base::run_command(command_of(arguments));
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
  engine.settings.push_back(
      {"image conversion", "not known: a part of its load, which tells of no such moment"});
  if (is_docker()) {
    engine.settings.push_back({"CPU time", "not known: a daemon works for the command"});
  }
  return engine;
}

void OciManager::prepare(const std::string& image) {
  require_program(settings_.engine, is_docker() ? "docker.io" : "podman");
  note_use(context_.scratch, settings_.engine);
  const auto archive = archive_of(image);
  run(load_of(archive), "load the image");
  std::filesystem::remove(archive);
  check_loaded(image);
}

std::string OciManager::name_of(const std::string& image) const {
  return name_in_store(image, context_.scratch);
}

std::filesystem::path OciManager::archive_of(const std::string& image) {
  auto archive =
      context_.scratch / fmt::format("{}-{}.tar", name_, image::digest_hex(material(image).id()));
  if (!std::filesystem::exists(archive)) {
    material(image).write_archive(archive, name_of(image), context_.scratch);
  }
  return archive;
}

std::vector<std::string> OciManager::load_of(const std::filesystem::path& archive) const {
  return {"load", "--quiet", "--input", archive.string()};
}

// The same config, and so the same layers, or it is not the same image.
void OciManager::check_loaded(const std::string& image) {
  auto id = run({"image", "inspect", "--format", "{{.Id}}", name_of(image)}, "look at the image");
  id.erase(id.find_last_not_of('\n') + 1);
  if (!id.starts_with("sha256:")) id.insert(0, "sha256:");
  if (id != material(image).id()) {
    throw base::Error(base::ErrorKind::internal,
                      fmt::format("{} has the image {} as {}, not {}", settings_.engine, image, id,
                                  material(image).id()));
  }
}

// A layer that another image has too would stay, and not be loaded again.
void OciManager::remove(const std::string& image) {
  run({"image", "rm", name_of(image)}, "remove the image");
  auto ids = base::words(run({"image", "ls", "--all", "--quiet", "--no-trunc"}, "list images"));
  if (ids.empty()) return;
  std::vector<std::string> inspect{"image", "inspect", "--format", "{{.Id}} {{.RootFS.Layers}}"};
  inspect.insert(inspect.end(), ids.begin(), ids.end());
  for (const auto& other : base::split(run(inspect, "look at the images"), '\n')) {
    for (const auto& layer : material(image).image().config.diff_ids) {
      if (other.find(layer) == std::string::npos) continue;
      throw base::Error(base::ErrorKind::conflict,
                        fmt::format("{} keeps a layer of {} for an image of its own, {}",
                                    settings_.engine, image, other.substr(0, other.find(' '))),
                        "remove that image, or set image_imports to 0");
    }
  }
}

ImageImport OciManager::import_image(const std::string& image) {
  const auto archive = archive_of(image);
  remove(image);
  return {.command = command_of(load_of(archive)), .environment = {}, .check = [this, image] {
            check_loaded(image);
            return std::optional<Stretch>();
          }};
}

Launch OciManager::launch(const LaunchRequest& request) {
  auto command = command_of({"run", "--rm", "--name", request.id, "--network", "none", "--memory",
                             request.memory, "--cpus", std::to_string(cpus()), "--tmpfs",
                             "/tmp:exec,mode=1777"});
  // Podman would raise these to what not every host allows; docker's daemon has its own.
  if (!is_docker()) {
    command.insert(command.end(), {"--ulimit", own_limit("nofile", RLIMIT_NOFILE), "--ulimit",
                                   own_limit("nproc", RLIMIT_NPROC, most_processes())});
  }
  if (request.held_open) command.emplace_back("--interactive");
  command.push_back(name_of(request.image));
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
