#include "sandbox/engine.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace twinbox::sandbox {
namespace {

[[noreturn]] void refuse(std::string_view what) {
  throw base::Error(base::ErrorKind::unsupported, fmt::format("this kind of box {}", what),
                    "use --as container or --as vm");
}

constexpr std::array<std::pair<FileTask::Kind, std::string_view>, 3> task_names{
    {{FileTask::Kind::describe, "describe"},
     {FileTask::Kind::pack, "pack"},
     {FileTask::Kind::unpack, "unpack"}}};

}  // namespace

std::string_view to_string(FileTask::Kind kind) {
  return std::ranges::find(task_names, kind, &std::pair<FileTask::Kind, std::string_view>::first)
      ->second;
}

FileTask::Kind file_task_kind_from(std::string_view text) {
  for (const auto& [kind, name] : task_names) {
    if (name == text) return kind;
  }
  throw base::Error(base::ErrorKind::usage, fmt::format("there is no file task '{}'", text));
}

void Box::resize(TerminalSize) { refuse("has no terminal"); }
std::unique_ptr<BoxProcess> Box::exec(ExecRequest) { refuse("runs no further process"); }
void Box::pause(Done) { refuse("cannot be paused"); }
void Box::resume(Done) { refuse("cannot be paused"); }
void Box::save(const std::filesystem::path&, Done) { refuse_to_save(); }
void Box::statistics(Answer<Statistics>) { refuse("keeps no statistics"); }
void Box::list_processes(Answer<std::vector<ProcessEntry>>) { refuse("cannot list its processes"); }
void Box::list_changes(Answer<std::vector<FileChange>>) { refuse("does not tell what it changed"); }
void Box::update(const Resources&, Done) { refuse("has no limits to change"); }

void refuse_to_save() {
  throw base::Error(base::ErrorKind::unsupported, "only a machine of our own monitor can be saved",
                    "use --as vm, on a host with hardware virtualization or in the lab");
}

void Engine::run_file_task(const StoppedBox&, const FileTask&, Stdio) {
  throw base::Error(
      base::ErrorKind::unsupported,
      fmt::format("the engine {} keeps the files of a box only while it runs", name()),
      "start the box first");
}

std::vector<FileChange> Engine::list_changes(const StoppedBox&) {
  throw base::Error(
      base::ErrorKind::unsupported,
      fmt::format("the engine {} keeps the files of a box only while it runs", name()),
      "start the box first");
}

}  // namespace twinbox::sandbox
