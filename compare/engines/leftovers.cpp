#include "compare/engines/leftovers.hpp"

#include <array>
#include <vector>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* store_prefix = "localhost/twinbox-compare/";

fs::path note(const fs::path& workplace, const std::string& engine) {
  return workplace / ("used-" + engine);
}

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// The words that a command prints.
Words answer(const Words& command) { return base::words(base::run_command(command).out); }

void remove_from_store(const Words& manager, const std::string& name) {
  const auto boxes =
      answer(manager + Words{"ps", "--all", "--quiet", "--filter", "name=" + name + "-"});
  if (!boxes.empty()) base::run_command(manager + Words{"rm", "--force"} + boxes);
  Words images;
  for (auto& image : answer(manager + Words{"images", "--format", "{{.Repository}}:{{.Tag}}"})) {
    if (image.starts_with(store_prefix) && image.ends_with(":" + name)) images.push_back(image);
  }
  if (!images.empty()) base::run_command(manager + Words{"rmi", "--force"} + images);
}

// runc and crun keep one directory for each box.
void remove_from_state(const std::string& runtime, const std::string& name) {
  for (const auto& box : base::names_in(fs::path("/run") / runtime)) {
    if (box.starts_with(name + "-")) base::run_command({runtime, "delete", "--force", box});
  }
}

}  // namespace

std::string comparison_name(const fs::path& workplace) { return workplace.filename().string(); }

std::vector<std::string> manager_command(const std::string& engine) {
  if (engine == "docker") return {"docker"};
  return {"podman", "--cgroup-manager=cgroupfs", "--runtime", "runc"};
}

std::string name_in_store(const std::string& image, const fs::path& workplace) {
  return fmt::format("{}{}:{}", store_prefix, image, comparison_name(workplace));
}

void note_use(const fs::path& workplace, const std::string& engine) {
  base::write_file(note(workplace, engine), "");
}

void remove_leftovers(const fs::path& workplace) {
  const auto name = comparison_name(workplace);
  // Our own boxes die with their commands; any command removes what is left of them.
  base::run_command({sandbox::program_path("twinbox").string(), "ps", "--quiet"});
  for (const auto* const manager : {"docker", "podman"}) {
    if (fs::exists(note(workplace, manager))) remove_from_store(manager_command(manager), name);
  }
  for (const auto* const runtime : {"runc", "crun"}) {
    if (fs::exists(note(workplace, runtime))) remove_from_state(runtime, name);
  }
}

}  // namespace twinbox::compare
