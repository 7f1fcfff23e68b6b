#include "cli/copy_stream.hpp"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "cli/report.hpp"
#include "image/archive.hpp"

namespace twinbox::cli {
namespace {

constexpr std::size_t block = 64 * 1024;

// The first component is replaced; that of a box's root is ".".
std::string renamed(std::string_view path, const std::string& name) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? name : name + std::string(path.substr(slash));
}

void change_entry(archive_entry* entry, const TarChange& change) {
  const char* const path = ::archive_entry_pathname(entry);
  if (path == nullptr) {
    throw base::Error(base::ErrorKind::usage, "cannot copy the files: a name is not readable");
  }
  ::archive_entry_set_pathname(entry, renamed(path, change.name).c_str());
  if (const char* const target = ::archive_entry_hardlink(entry); target != nullptr) {
    ::archive_entry_set_hardlink(entry, renamed(target, change.name).c_str());
  }
  if (!change.own_owners) return;
  ::archive_entry_set_uid(entry, 0);
  ::archive_entry_set_gid(entry, 0);
}

void copy_data(archive* from, archive* to) {
  std::string buffer(block, '\0');
  for (auto count = ::archive_read_data(from, buffer.data(), buffer.size()); count != 0;
       count = ::archive_read_data(from, buffer.data(), buffer.size())) {
    if (count < 0) image::check_archive(from, static_cast<int>(count), "copy the files");
    const auto written = ::archive_write_data(to, buffer.data(), static_cast<std::size_t>(count));
    if (written < 0) image::check_archive(to, static_cast<int>(written), "copy the files");
  }
}

}  // namespace

void change_tar(int in, int out, const TarChange& change) {
  const image::Utf8Names names;
  const image::ArchiveHandle from(::archive_read_new());
  ::archive_read_support_format_tar(from.get());
  ::archive_read_support_format_empty(from.get());
  image::check_archive(from.get(), ::archive_read_open_fd(from.get(), in, block), "copy the files");
  const image::ArchiveHandle to(::archive_write_new());
  ::archive_write_set_format_pax_restricted(to.get());
  image::check_archive(to.get(), ::archive_write_open_fd(to.get(), out), "copy the files");
  archive_entry* entry = nullptr;
  for (auto result = ::archive_read_next_header(from.get(), &entry); result != ARCHIVE_EOF;
       result = ::archive_read_next_header(from.get(), &entry)) {
    image::check_archive(from.get(), result, "copy the files");
    change_entry(entry, change);
    image::check_archive(to.get(), ::archive_write_header(to.get(), entry), "copy the files");
    copy_data(from.get(), to.get());
  }
  image::check_archive(to.get(), ::archive_write_close(to.get()), "copy the files");
}

Stage::Stage(base::Fd end, const std::function<void(int)>& work) : pid_(::fork()) {
  if (pid_ < 0) base::throw_errno("cannot start a process that copies");
  if (pid_ > 0) return;
  // Where nobody reads any more somebody else has failed, and tells why.
  ::signal(SIGPIPE, SIG_DFL);
  int status = 0;
  try {
    work(end.get());
  } catch (const base::Error& error) {
    report(error);
    status = 1;
  }
  ::_exit(status);
}

Stage::~Stage() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  base::wait_for(pid_);
}

bool Stage::finish() {
  const auto pid = std::exchange(pid_, -1);
  return base::shell_status(base::wait_for(pid)) == 0;
}

}  // namespace twinbox::cli
