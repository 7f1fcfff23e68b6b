#include "compare/engines/oci_runtime.hpp"

#include <nlohmann/json.hpp>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "compare/engines/leftovers.hpp"
#include "container/seccomp_oci.hpp"
#include "image/workload.hpp"

namespace twinbox::compare {
namespace {

// Undoes what a runtime that was killed has left, with the bundle.
class Bundle {
 public:
  Bundle(const ImageMaterial& material, const std::filesystem::path& directory, std::string runtime,
         std::string id)
      : root_(material, directory), runtime_(std::move(runtime)), id_(std::move(id)) {}
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;
  ~Bundle() {
    // With its own state gone there is nothing to delete, which is no matter.
    if (std::filesystem::exists(std::filesystem::path("/run") / runtime_ / id_)) {
      base::run_command({runtime_, "delete", "--force", id_});
    }
  }

 private:
  MountedRoot root_;
  std::string runtime_;
  std::string id_;
};

}  // namespace

Engine OciRuntime::describe() const {
  auto engine = describe_common(plan_, name_, BoxKind::container, settings_.engine);
  engine.version = first_line_of({settings_.engine, "--version"});
  engine.missing_marks = no_inner_marks(settings_.engine);
  engine.settings.push_back({"writable layer", "memory"});
  engine.settings.push_back({"root", "mounted before the request: the runtime makes none"});
  return engine;
}

void OciRuntime::prepare(const std::string& image) {
  require_program(settings_.engine, settings_.engine);
  note_use(context_.scratch, settings_.engine);
  material(image);
}

std::string OciRuntime::config_of(const LaunchRequest& request) {
  auto spec = image::make_workload(
      material(request.image).image(),
      {.command = request.args, .env = {}, .working_directory = {}, .user = {}});
  spec.hostname = request.id;
  spec.resources.memory_bytes = base::parse_size(request.memory, "memory");
  spec.resources.cpus = cpus();
  auto json = base::parse_json(sandbox::to_json(spec), "the box's config.json");
  json["ociVersion"] = "1.0.2";  // of which this is a subset; older runtimes refuse a newer one
  // Set from inside a namespace of its own it would be below the caller's group all the same.
  json["linux"]["cgroupsPath"] = "/" + request.id;
  // That of our own container, which the runtime compiles for itself.
  json["linux"]["seccomp"] = base::parse_json(container::default_filter_as_oci(), "filter");
  return json.dump();
}

Launch OciRuntime::launch(const LaunchRequest& request) {
  const auto directory = directory_of(request);
  auto bundle =
      std::make_shared<Bundle>(material(request.image), directory, settings_.engine, request.id);
  base::write_file(directory / "config.json", config_of(request));
  return {.command = {settings_.engine, "run", "--bundle", directory.string(), request.id},
          .holds = std::move(bundle)};
}

}  // namespace twinbox::compare
