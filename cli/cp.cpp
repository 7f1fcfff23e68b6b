// twinbox cp: files between a box and this host.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "cli/box_files.hpp"
#include "cli/copy_stream.hpp"
#include "cli/each_box.hpp"
#include "cli/verbs.hpp"
#include "image/tar_writer.hpp"
#include "image/unpack.hpp"

namespace twinbox::cli {
namespace {

namespace fs = std::filesystem;
using Kind = sandbox::FileTask::Kind;
using base::ErrorKind;

constexpr int most_links = 40;

struct CopyFlags {
  bool archive = false;
  bool follow = false;
};

// "BOX:PATH"; without a box it is a path of this host.
struct Place {
  std::string box;
  std::string path;
};

Place place_of(const std::string& text) {
  const auto colon = text.find(':');
  const bool local = text.starts_with('/') || text.starts_with('.') || colon == std::string::npos;
  if (local) return {"", text};
  const auto path = text.substr(colon + 1);
  return {text.substr(0, colon), path.starts_with('/') ? path : "/" + path};
}

// Where something is put: into `directory`, under `name`; "." spreads a directory's content there.
struct Target {
  std::string directory;
  std::string name;
};

enum class Found { nothing, file, directory };

bool asks_for_content(const std::string& source) { return source == "." || source.ends_with("/."); }

// docker's rules.
Target target_of(const std::string& source, const std::string& source_name,
                 bool source_is_directory, const std::string& destination, Found found) {
  if (found == Found::directory) {
    const bool content = source_is_directory && asks_for_content(source);
    return {destination, content ? "." : source_name};
  }
  if (found == Found::file && source_is_directory) {
    throw base::Error(
        ErrorKind::conflict,
        fmt::format("cannot copy the directory {} to the file {}", source, destination));
  }
  auto path = fs::path(destination);
  if (!path.has_filename()) {
    if (!source_is_directory) {
      throw base::Error(ErrorKind::not_found, fmt::format("there is no directory {}", destination),
                        "make it first, or leave the slash at the end away");
    }
    path = path.parent_path();
  }
  const auto parent = path.parent_path();
  return {parent.empty() ? "." : parent.string(), path.filename().string()};
}

struct Pipe {
  base::Fd out;  // to read from
  base::Fd in;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) base::throw_errno("cannot make a pipe");
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

void finish(Stage& stage) {
  if (stage.finish()) return;
  throw base::Error(ErrorKind::system, "not all was copied");
}

Found found_in_box(const BoxFiles& files, const std::string& path) {
  const auto info = files.describe(path);
  if (!info) return Found::nothing;
  if (S_ISDIR(info->mode)) return Found::directory;
  if (!S_ISLNK(info->mode)) return Found::file;
  try {  // a link to a directory is one
    return files.describe(path + "/.") ? Found::directory : Found::file;
  } catch (const base::Error&) {
    return Found::file;
  }
}

void copy_into_box(const std::string& given, const Place& to, const CopyFlags& flags) {
  const BoxFiles files(box_store().find(to.box));
  if (given == "-") {
    return files.run({.kind = Kind::unpack, .path = to.path}, {.in = STDIN_FILENO});
  }
  const bool content = asks_for_content(given);
  const fs::path source =
      flags.follow || content ? fs::canonical(given) : fs::absolute(given).lexically_normal();
  const auto path = source.has_filename() ? source : source.parent_path();
  const auto status = fs::symlink_status(path);
  if (!fs::exists(status)) {
    throw base::Error(ErrorKind::not_found, fmt::format("there is no {} on this host", given));
  }
  const bool is_directory = fs::is_directory(status);
  const auto name =
      fs::path(given).has_filename() && !content ? fs::path(given).filename() : path.filename();
  const auto target = target_of(given, name, is_directory, to.path, found_in_box(files, to.path));
  // No stage has the end that is read from the pipe that it fills, or it would never hear that
  // nobody reads any more.
  auto packed = make_pipe();
  const auto parent = base::open_file(path.parent_path(), O_RDONLY | O_DIRECTORY);
  Stage packer(std::move(packed.in), [&](int out) {
    packed.out.reset();
    image::write_tar(parent.get(), path.filename(), "x",
                     [out](std::span<const std::byte> bytes) { base::write_all(out, bytes); });
  });
  auto changed = make_pipe();
  Stage changer(std::move(changed.in), [&](int out) {
    changed.out.reset();
    change_tar(packed.out.get(), out, {.name = target.name, .own_owners = !flags.archive});
  });
  packed.out.reset();
  files.run({.kind = Kind::unpack, .path = target.directory}, {.in = changed.out.get()});
  finish(packer);
  finish(changer);
}

// The file that `path` leads to, link after link.
sandbox::PathInfo look(const BoxFiles& files, fs::path& path, bool follow) {
  for (int links = 0; links < most_links; ++links) {
    auto info = files.describe(path);
    if (!info) {
      throw base::Error(ErrorKind::not_found,
                        fmt::format("there is no {} in the box", path.string()));
    }
    if (!follow || !S_ISLNK(info->mode)) return std::move(*info);
    path = path.parent_path() / info->link_target;
  }
  throw base::Error(ErrorKind::usage, fmt::format("{} has too many links", path.string()));
}

Found found_here(const std::string& path) {
  const auto status = fs::status(path);
  if (!fs::exists(status)) return Found::nothing;
  return fs::is_directory(status) ? Found::directory : Found::file;
}

void unpack_here(int in, const std::string& directory) {
  std::vector<std::byte> buffer(64 * 1024);
  image::unpack_tar(
      [&]() -> std::span<const std::byte> {
        return std::span(buffer).first(base::read_some(in, buffer).value_or(0));
      },
      directory,
      {.whiteouts = image::UnpackOptions::Whiteouts::literal,
       .tree = {.directories = image::TreeRules::Directories::kept,
                .links = image::TreeRules::Links::refused}});
}

void copy_out_of_box(const Place& from, const std::string& destination, const CopyFlags& flags) {
  const BoxFiles files(box_store().find(from.box));
  fs::path source = from.path;
  const auto nothing = base::open_file("/dev/null", O_RDONLY);
  const auto info = look(files, source, flags.follow);
  if (destination == "-") {
    return files.run({.kind = Kind::pack, .path = source}, {.in = nothing.get()});
  }
  const auto target = target_of(from.path, name_in_box(from.path), S_ISDIR(info.mode), destination,
                                found_here(destination));
  auto packed = make_pipe();
  auto changed = make_pipe();
  Stage changer(std::move(changed.in), [&](int out) {
    packed.in.reset();
    changed.out.reset();
    change_tar(packed.out.get(), out, {.name = target.name, .own_owners = !flags.archive});
  });
  Stage unpacker(std::move(changed.out), [&](int in) {
    packed.in.reset();
    try {
      unpack_here(in, target.directory);
    } catch (const base::Error& error) {
      throw base::Error(error.kind(), fmt::format("{}, in {}", error.message(), target.directory));
    }
  });
  packed.out.reset();
  try {
    files.run({.kind = Kind::pack, .path = source}, {.in = nothing.get(), .out = packed.in.get()});
  } catch (const base::Error&) {
    packed.in.reset();
    finish(unpacker);  // where that failed, it has told why the box could not go on
    throw;
  }
  packed.in.reset();
  finish(changer);
  finish(unpacker);
}

}  // namespace

int cp(const Arguments& arguments) {
  CopyFlags flags;
  Options options("cp [FLAGS] BOX:PATH PATH | cp [FLAGS] PATH BOX:PATH",
                  "Copies files between a box and this host. '-' in place of this host's path is a "
                  "tar on standard input or output.");
  options.flag("archive,a", "keep owners; else the files become root's", flags.archive);
  options.flag("follow-link,L", "copy what the source links to", flags.follow);
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (words.size() != 2) {
    throw base::Error(ErrorKind::usage, "say from where, and to where", options.see_help());
  }
  const auto from = place_of(words[0]);
  const auto to = place_of(words[1]);
  if (from.box.empty() == to.box.empty()) {
    throw base::Error(ErrorKind::usage, "one of the two is to be in a box: BOX:PATH",
                      options.see_help());
  }
  return tell_errors([&] {
    try {
      return to.box.empty() ? copy_out_of_box(from, to.path, flags)
                            : copy_into_box(from.path, to, flags);
    } catch (const fs::filesystem_error& error) {
      throw base::Error(ErrorKind::system, error.what());
    }
  });
}

}  // namespace twinbox::cli
