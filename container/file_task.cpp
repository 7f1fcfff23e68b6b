#include "container/file_task.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/handshake.hpp"
#include "container/init.hpp"
#include "container/mount_api.hpp"
#include "container/process_setup.hpp"
#include "image/tar_writer.hpp"
#include "image/unpack.hpp"
#include "sandbox/box_report.hpp"

namespace twinbox::container {
namespace {

namespace fs = std::filesystem;

// A file by a handle on the directory that it is in.
struct Place {
  base::Fd parent;
  std::string base;  // "." where the path ends in a directory's own name for itself
  std::string name;  // its last component, "/" for the root
};

base::Fd open_in_box(int root, const fs::path& path) {
  auto found = open_in_root(root, path, Links::within_root);
  if (!found) {
    throw base::Error(base::ErrorKind::not_found,
                      fmt::format("there is no {} in the box", path.string()));
  }
  return found;
}

Place find_place(int root, const fs::path& path) {
  const auto last = path.filename();
  if (!last.empty() && last != "." && last != "..") {
    return {open_in_box(root, path.parent_path()), last, last};
  }
  const auto name = path.lexically_normal().parent_path().filename();
  return {open_in_box(root, path), ".", name.empty() ? fs::path("/") : name};
}

std::string link_target(const Place& place) {
  std::array<char, PATH_MAX> target{};
  const auto size =
      ::readlinkat(place.parent.get(), place.base.c_str(), target.data(), target.size());
  if (size < 0) base::throw_errno("cannot read the link {}", place.name);
  return {target.data(), static_cast<std::size_t>(size)};
}

struct stat look(const Place& place, const std::string& path) {
  struct stat status {};
  if (::fstatat(place.parent.get(), place.base.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return status;
  }
  if (errno != ENOENT) base::throw_errno("cannot look at {} in the box", path);
  throw base::Error(base::ErrorKind::not_found, fmt::format("there is no {} in the box", path));
}

void describe(const Place& place, const std::string& path, int out) {
  const auto status = look(place, path);
  sandbox::PathInfo info{.size = static_cast<std::uint64_t>(status.st_size),
                         .mode = status.st_mode,
                         .modified = status.st_mtim.tv_sec,
                         .link_target = {}};
  if (S_ISLNK(status.st_mode)) info.link_target = link_target(place);
  base::write_all(out, sandbox::to_json(info));
}

void pack(const Place& place, const std::string& path, int out) {
  look(place, path);
  image::write_tar(place.parent.get(), place.base, place.name == "/" ? "." : place.name,
                   [out](std::span<const std::byte> bytes) { base::write_all(out, bytes); });
}

void unpack(int root, const std::string& path, int in) {
  const auto directory = open_in_box(root, path);
  std::vector<std::byte> buffer(64 * 1024);
  const image::Source source = [&]() -> std::span<const std::byte> {
    return std::span(buffer).first(base::read_some(in, buffer).value_or(0));
  };
  image::unpack_tar(source, handle_path(directory.get()),
                    {.whiteouts = image::UnpackOptions::Whiteouts::literal,
                     .tree = {.directories = image::TreeRules::Directories::kept}});
  // Whoever pads the archive's end is not to be told that nobody listens.
  while (!source().empty()) {
  }
}

[[noreturn]] void run_task(const std::function<base::Fd()>& open_root,
                           const sandbox::FileTask& task, const sandbox::Stdio& stdio, int report,
                           int parent_end) {
  run_child(report, parent_end, [&](int& own_report) {
    try {
      // No object owns it any more, since its number is about to be another's.
      const int root = open_root().release();
      arrange_descriptors(stdio, own_report, root);
      own_report = report_abi::report_descriptor;
      report_executing(own_report);
      perform_file_task(last_descriptor, task, STDIN_FILENO, STDOUT_FILENO);
    } catch (const base::Error& error) {
      throw Failure{1, error};
    }
    end_child(0);
  });
}

}  // namespace

void perform_file_task(int root, const sandbox::FileTask& task, int in, int out) {
  switch (task.kind) {
    case sandbox::FileTask::Kind::describe:
      return describe(find_place(root, task.path), task.path, out);
    case sandbox::FileTask::Kind::pack:
      return pack(find_place(root, task.path), task.path, out);
    case sandbox::FileTask::Kind::unpack:
      return unpack(root, task.path, in);
  }
}

Launched launch_file_task(std::uint64_t namespaces, const std::function<base::Fd()>& open_root,
                          const sandbox::FileTask& task, const sandbox::Stdio& stdio) {
  return launch(namespaces, -1, [&](int report, int parent_end) {
    run_task(open_root, task, stdio, report, parent_end);
  });
}

void finish_file_task(Launched launched) {
  std::optional<base::Error> failure;
  ReportHandlers handlers;
  handlers.on_executing = [] {};
  handlers.on_failed = [&](const Failure& failed) { failure = failed.error; };
  ReportDecoder decoder(std::move(handlers));
  base::set_nonblocking(launched.report.get(), false);
  while (const auto report = receive_report(launched.report.get())) {
    if (report->bytes.empty()) break;
    decoder.feed(std::as_bytes(std::span(report->bytes)));
  }
  const int status = base::shell_status(base::wait_for(launched.pid));
  if (failure) throw *failure;
  if (status == 0) return;
  throw base::Error(base::ErrorKind::system,
                    fmt::format("what works on the box's files ended with status {}", status));
}

}  // namespace twinbox::container
