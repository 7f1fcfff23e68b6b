#include "compare/engines/command_template.hpp"

#include <algorithm>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "compare/engines/kernel_facts.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

bool mentions(const Words& words, const std::string& place) {
  return std::ranges::any_of(
      words, [&](const std::string& word) { return word.find(place) != std::string::npos; });
}

std::string fill_word(const std::string& word, const std::map<std::string, std::string>& values) {
  std::string filled;
  std::size_t from = 0;
  for (auto open = word.find('{'); open != std::string::npos; open = word.find('{', from)) {
    const auto close = word.find('}', open);
    if (close == std::string::npos) break;
    const auto place = word.substr(open + 1, close - open - 1);
    const auto value = values.find(place);
    if (value == values.end()) {
      Words known{"args"};
      for (const auto& [name, unused] : values) known.push_back(name);
      throw base::Error(
          base::ErrorKind::usage,
          fmt::format("the command template has no place '{{{}}}' in '{}'", place, word),
          fmt::format("places here: {}", fmt::join(known, ", ")));
    }
    filled += word.substr(from, open - from) + value->second;
    from = close + 1;
  }
  return filled + word.substr(from);
}

// Words for the kernel to hand to init behind "--": it takes a word in double quotes as one, and
// knows no escapes (lib/cmdline.c, next_arg).
std::string quote_for_kernel(const Words& args) {
  std::vector<std::string> quoted;
  for (const auto& arg : args) {
    if (arg.find('"') != std::string::npos) {
      throw base::Error(base::ErrorKind::unsupported,
                        fmt::format("a kernel's command line cannot hold the quotes of '{}'", arg),
                        "use single quotes in the workload's command");
    }
    const bool plain = !arg.empty() && arg.find_first_of(" \t\n") == std::string::npos;
    quoted.push_back(plain ? arg : '"' + arg + '"');
  }
  return fmt::format("{}", fmt::join(quoted, " "));
}

// The kernel that a machine's monitor is given in one of its words, as "FILE" or "--option=FILE";
// an ELF file may be any program, and so has to be called what the kernel's build calls it.
fs::path kernel_in(const Words& words) {
  for (const auto& word : words) {
    const auto file = word.substr(word.rfind('=') + 1);  // npos + 1 is the beginning
    const auto format = kernel_format(file);
    if (format == "bzImage" || (format == "vmlinux" && file.find("vmlin") != std::string::npos)) {
      return file;
    }
  }
  return {};
}

}  // namespace

Words fill_template(const Words& words, const std::map<std::string, std::string>& values,
                    const Words& args) {
  Words filled;
  for (const auto& word : words) {
    if (word == "{args}") {
      filled.insert(filled.end(), args.begin(), args.end());
    } else {
      filled.push_back(fill_word(word, values));
    }
  }
  return filled;
}

Engine CommandTemplate::describe() const {
  const auto& words = settings_.command;
  auto engine = describe_common(plan_, name_, BoxKind::container, name_);
  engine.version = first_line_of(settings_.version);
  engine.missing_marks = no_inner_marks(words.front());
  if (!mentions(words, "{memory")) engine.settings.at(0).value = "not limited";
  if (!mentions(words, "{cpus}")) engine.settings.at(1).value = "not limited";
  if (mentions(words, "{rootfs}")) {
    engine.settings.push_back({"root", "mounted before the request"});
    engine.settings.push_back({"writable layer", "memory"});
  } else if (!mentions(words, "{image}")) {
    engine.image_digest.clear();  // whatever it runs, we did not give it
  }
  // One that its monitor finds in a file of its own is the plan's to name.
  const auto kernel = settings_.kernel.empty() ? kernel_in(words) : fs::path(settings_.kernel);
  if (!kernel.empty()) {
    engine.kind = BoxKind::machine;
    add_kernel_file_facts(engine, kernel);
  }
  if (mentions(words, "console=ttyS")) engine.settings.push_back({"console", "serial"});
  return engine;
}

void CommandTemplate::prepare(const std::string& image) {
  require_program(settings_.command.front(), settings_.command.front());
  const auto& words = settings_.prepare;
  if (words.empty()) return;
  const auto archive = context_.scratch / (name_ + ".tar");
  if (mentions(words, "{archive}")) {
    material(image).write_archive(archive, image + ":latest", context_.scratch);
  }
  base::make_directories(files());
  const auto command = fill_template(
      words, {{"archive", archive.string()}, {"files", files().string()}, {"image", image}}, {});
  const auto result = base::run_command(command);
  if (result.status != 0) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("{} ended with status {}: {}", fmt::join(command, " "),
                                  result.status, result.err));
  }
}

Launch CommandTemplate::launch(const LaunchRequest& request) {
  const auto& words = settings_.command;
  std::map<std::string, std::string> values{
      {"image", request.image},
      {"memory", request.memory},
      {"memory_mib", std::to_string(base::parse_size(request.memory, "memory") / base::mebibyte)},
      {"cpus", std::to_string(cpus())},
      {"id", request.id},
      {"files", files().string()},
      {"rootfs", ""}};
  if (mentions(words, "{kernel_args}")) values["kernel_args"] = quote_for_kernel(request.args);
  Launch launch;
  if (mentions(words, "{rootfs}")) {
    auto root = std::make_shared<MountedRoot>(material(request.image), directory_of(request));
    values["rootfs"] = root->path().string();
    launch.holds = std::move(root);
  }
  launch.command = fill_template(words, values, request.args);
  return launch;
}

}  // namespace twinbox::compare
