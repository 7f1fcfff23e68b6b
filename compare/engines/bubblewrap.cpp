#include "compare/engines/bubblewrap.hpp"

#include "image/workload.hpp"

namespace twinbox::compare {

Engine Bubblewrap::describe() const {
  auto engine = describe_common(plan_, name_, BoxKind::container, "bubblewrap");
  engine.version = first_line_of({"bwrap", "--version"});
  engine.missing_marks = no_inner_marks("bwrap");
  for (auto& setting : engine.settings) setting.value = "not limited";
  engine.settings.push_back({"writable layer", "memory"});
  engine.settings.push_back({"root", "mounted before the request: bwrap makes none"});
  engine.settings.push_back({"system call filter", "none"});
  return engine;
}

void Bubblewrap::prepare(const std::string& image) {
  require_program("bwrap", "bubblewrap");
  material(image);
}

Launch Bubblewrap::launch(const LaunchRequest& request) {
  auto root = std::make_shared<MountedRoot>(material(request.image), directory_of(request));
  const auto spec = image::make_workload(
      material(request.image).image(),
      {.command = request.args, .env = {}, .working_directory = {}, .user = {}});
  std::vector<std::string> command{"bwrap",
                                   "--unshare-all",
                                   "--die-with-parent",
                                   "--clearenv",
                                   "--bind",
                                   root->path().string(),
                                   "/",
                                   "--proc",
                                   "/proc",
                                   "--dev",
                                   "/dev",
                                   "--chdir",
                                   spec.process.cwd};
  for (const auto& variable : spec.process.env) {
    const auto equals = variable.find('=');
    command.insert(command.end(),
                   {"--setenv", variable.substr(0, equals), variable.substr(equals + 1)});
  }
  command.emplace_back("--");
  command.insert(command.end(), spec.process.args.begin(), spec.process.args.end());
  return {.command = std::move(command), .holds = std::move(root)};
}

}  // namespace twinbox::compare
