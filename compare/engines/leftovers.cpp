#include "compare/engines/leftovers.hpp"

#include <exception>
#include <string_view>
#include <vector>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "compare/exit_trace.hpp"
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

// The words that a command prints; none where it is not installed any more.
Words answer(const Words& command) {
  const auto result = base::run_command(command);
  constexpr int not_installed = 127;
  if (result.status != 0 && result.status != not_installed) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("{} cannot remove what a comparison has left: {}",
                                  command.front(), result.err));
  }
  return base::words(result.out);
}

void remove_from_store(const Words& manager, const std::string& name) {
  const auto boxes =
      answer(manager + Words{"ps", "--all", "--quiet", "--filter", "name=" + name + "-"});
  if (!boxes.empty()) answer(manager + Words{"rm", "--force"} + boxes);
  Words images;
  for (auto& image : answer(manager + Words{"images", "--format", "{{.Repository}}:{{.Tag}}"})) {
    if (image.starts_with(store_prefix) && image.ends_with(":" + name)) images.push_back(image);
  }
  if (!images.empty()) answer(manager + Words{"rmi", "--force"} + images);
}

bool is_runtime(std::string_view engine) { return engine == "runc" || engine == "crun"; }

// runc and crun keep one directory for each box.
void remove_from_state(const std::string& runtime, const std::string& name) {
  for (const auto& box : base::names_in(fs::path("/run") / runtime)) {
    if (box.starts_with(name + "-")) answer({runtime, "delete", "--force", box});
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
  std::exception_ptr failure;
  try {
    undo_tracing(workplace);
  } catch (const base::Error&) {
    failure = std::current_exception();
  }
  for (const auto* const engine : {"docker", "podman", "runc", "crun"}) {
    if (!fs::exists(note(workplace, engine))) continue;
    try {
      const bool has_store = !is_runtime(engine);
      has_store ? remove_from_store(manager_command(engine), name)
                : remove_from_state(engine, name);
    } catch (const base::Error&) {
      failure = std::current_exception();  // the others' are removed all the same
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace twinbox::compare
