#include "compare/engines/own.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/engines/image_material.hpp"
#include "compare/engines/kernel_facts.hpp"
#include "image/digest.hpp"

namespace twinbox::compare {
namespace {

std::string title_of(const EngineSettings& settings) {
  if (settings.engine == "process") return "plain process";
  if (settings.engine == "qemu") return "QEMU (libvirt)";
  if (settings.engine != "vm") return settings.engine;
  std::string title = "microVM";
  if (!settings.kernel.empty()) title += ", " + settings.kernel + " kernel";
  if (settings.start == "warm") title += ", warm start";
  return title;
}

BoxKind kind_of(const EngineSettings& settings) {
  if (settings.engine == "process") return BoxKind::process;
  return settings.engine == "container" ? BoxKind::container : BoxKind::machine;
}

}  // namespace

OwnEngine::OwnEngine(const Plan& plan, std::string name, AdapterContext context)
    : plan_(plan),
      name_(std::move(name)),
      settings_(plan.settings_of(name_)),
      context_(std::move(context)) {}

std::string OwnEngine::kernel() const {
  return settings_.kernel.empty() ? plan_.kernel : settings_.kernel;
}

Engine OwnEngine::describe() const {
  auto engine = describe_common(plan_, name_, kind_of(settings_), title_of(settings_));
  engine.version = TWINBOX_VERSION;
  engine.settings.push_back({"writable layer", "memory"});
  if (settings_.engine == "vm") {
    engine.settings.push_back({"start", settings_.start == "warm" ? "warm" : "cold"});
  }
  if (is_machine()) add_kernel_facts(engine, kernel(), settings_.engine == "vm");
  if (settings_.engine == "qemu") {
    engine.missing_marks[sandbox::Mark::entered] = "libvirt starts QEMU and tells no such moment";
  }
  return engine;
}

void OwnEngine::prepare(const std::string&) {}  // the store is its own

std::filesystem::path OwnEngine::archive_of(const std::string& image) const {
  const ImageMaterial material(image);
  auto archive = context_.scratch / (image::digest_hex(material.id()) + ".tar");
  if (!std::filesystem::exists(archive)) material.write_root(archive);
  return archive;
}

// A store makes both forms of an image, and boxes mount one of them.
Stretch OwnEngine::conversion(const image::ImportMarks& marks) const {
  const auto end = is_machine() ? marks.converted : marks.unpacked;
  if (!end) throw base::Error(base::ErrorKind::internal, "the store unpacked nothing");
  return {marks.stored, *end};
}

ImageImport OwnEngine::import_image(const std::string& image) {
  const auto store = std::make_shared<base::TemporaryDirectory>(context_.scratch, "store-");
  const auto archive = archive_of(image);
  const auto root = store->path() / "root";
  const auto marks = store->path() / "marks";
  ImageImport import;
  import.command = {context_.program.string(), "image", "import", "--marks", marks.string(), image,
                    archive.string()};
  import.environment = {"TWINBOX_ROOT=" + root.string(),
                        "TWINBOX_RUN=" + (store->path() / "run").string()};
  import.check = [ this, image, archive, root, marks ]()->std::optional<Stretch> {
    const auto stored = image::Store(root).prepare(image);
  const auto expected = image::digest_of_file(archive);
  if (stored.config.diff_ids != std::vector{expected}) {
    throw base::Error(base::ErrorKind::internal,
                      fmt::format("the store has {} as {}, not {}", image,
                                  fmt::join(stored.config.diff_ids, ", "), expected));
  }
  return conversion(image::ImportMarks::from_json(base::read_file(marks), marks.string()));
};
import.holds = store;
return import;
}  // namespace twinbox::compare

Launch OwnEngine::launch(const LaunchRequest& request) {
  Launch launch;
  launch.marks = context_.scratch / (request.id + ".marks");
  launch.reads_cpu_counter = true;
  auto& command = launch.command;
  command = {context_.program.string(), "run", "--as", settings_.engine};
  // A plain process has no limits; it is the baseline that shows what they cost.
  if (settings_.engine != "process") {
    command.insert(command.end(),
                   {"--memory", request.memory, "--cpus",
                    std::to_string(settings_.cpus == 0 ? plan_.cpus : settings_.cpus)});
  }
  // A boot is what is compared, unless a copy of a booted machine is asked for.
  if (settings_.engine == "vm" && settings_.start != "warm") command.emplace_back("--cold");
  // Nor is one that somebody keeps on standby what a start costs.
  if (settings_.engine == "vm") command.emplace_back("--standby=false");
  if (is_machine() && !kernel().empty()) command.insert(command.end(), {"--kernel", kernel()});
  // A box of a run that is interrupted must not go on and disturb the next one.
  command.insert(command.end(), {"--rm", "--die-with-parent"});
  if (request.held_open) command.emplace_back("--interactive");
  command.insert(command.end(), {"--marks", launch.marks.string(), request.image});
  command.insert(command.end(), request.args.begin(), request.args.end());
  return launch;
}

}  // namespace twinbox::compare
