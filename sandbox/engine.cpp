#include "sandbox/engine.hpp"

namespace twinbox::sandbox {
namespace {

[[noreturn]] void refuse(std::string_view what) {
  throw base::Error(base::ErrorKind::unsupported, fmt::format("this kind of box {}", what),
                    "use --as container or --as vm");
}

}  // namespace

void Box::resize(TerminalSize) { refuse("has no terminal"); }
std::unique_ptr<BoxProcess> Box::exec(ExecRequest) { refuse("runs no further process"); }
void Box::pause(Done) { refuse("cannot be paused"); }
void Box::resume(Done) { refuse("cannot be paused"); }
void Box::statistics(Answer<Statistics>) { refuse("keeps no statistics"); }
void Box::list_processes(Answer<std::vector<ProcessEntry>>) { refuse("cannot list its processes"); }
void Box::list_changes(Answer<std::vector<FileChange>>) { refuse("does not tell what it changed"); }
void Box::update(const Resources&, Done) { refuse("has no limits to change"); }

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
