#include "compare/engines/adapter.hpp"

#include "base/command.hpp"
#include "base/error.hpp"
#include "compare/engines/bubblewrap.hpp"
#include "compare/engines/command_template.hpp"
#include "compare/engines/oci_manager.hpp"
#include "compare/engines/oci_runtime.hpp"
#include "compare/engines/own.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {

std::vector<pid_t> Adapter::further_processes(const LaunchRequest&) const { return {}; }

ImageImport Adapter::import_image(const std::string& image) {
  throw base::Error(base::ErrorKind::internal,
                    fmt::format("{} is to be imported into an engine of which it is said that {}",
                                image, why_no_import()));
}

std::map<sandbox::Mark, std::string> no_inner_marks(const std::string& program) {
  std::map<sandbox::Mark, std::string> missing;
  for (const auto mark : {sandbox::Mark::entered, sandbox::Mark::created, sandbox::Mark::booted,
                          sandbox::Mark::executed}) {
    missing[mark] = program + " tells nobody when it gets there";
  }
  return missing;
}

std::string first_line_of(const std::vector<std::string>& command) {
  if (command.empty()) return {};
  const auto result = base::run_command(command);
  return result.status == 0 ? result.out.substr(0, result.out.find('\n')) : std::string();
}

void require_program(const std::string& program, const std::string& package) {
  // Every one of them answers this; what it answers does not matter.
  if (base::run_command({program, "--version"}).status != 127) return;
  throw base::Error(base::ErrorKind::not_found, fmt::format("{} is not installed", program),
                    fmt::format("install the package {}, or leave it out of the plan", package));
}

Engine describe_common(const Plan& plan, const std::string& name, BoxKind kind,
                       const std::string& title) {
  const auto settings = plan.settings_of(name);
  Engine engine;
  engine.name = name;
  engine.title = title;
  engine.kind = kind;
  engine.image_digest = image_digest(settings.image.empty() ? plan.image : settings.image);
  const bool limited = kind != BoxKind::process;
  const auto memory = settings.memory.empty() ? plan.memory : settings.memory;
  const auto cpus = std::to_string(settings.cpus == 0 ? plan.cpus : settings.cpus);
  engine.settings.push_back({"memory", limited ? memory : "not limited"});
  engine.settings.push_back({"cpus", limited ? cpus : "not limited"});
  return engine;
}

std::unique_ptr<Adapter> make_adapter(const Plan& plan, const std::string& name,
                                      const AdapterContext& context) {
  const auto engine = plan.settings_of(name).engine;
  if (engine == "command") return std::make_unique<CommandTemplate>(plan, name, context);
  if (engine == "docker" || engine == "podman") {
    return std::make_unique<OciManager>(plan, name, context);
  }
  if (engine == "runc" || engine == "crun") {
    return std::make_unique<OciRuntime>(plan, name, context);
  }
  if (engine == "bubblewrap") return std::make_unique<Bubblewrap>(plan, name, context);
  return std::make_unique<OwnEngine>(plan, name, context);
}

}  // namespace twinbox::compare
