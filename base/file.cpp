#include "base/file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <system_error>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::base {

std::string read_file(const std::filesystem::path& path) {
  const Fd fd = open_file(path, O_RDONLY);
  try {
    return read_to_end(fd.get());
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("cannot read {}: {}", path.string(), error.message()));
  }
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  const Fd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  try {
    write_all(fd.get(), text);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("cannot write {}: {}", path.string(), error.message()));
  }
}

void write_file_atomic(const std::filesystem::path& path, std::string_view text) {
  const auto draft = path.string() + ".new." + std::to_string(::getpid());
  try {
    write_file(draft, text);
    const Fd fd = open_file(draft, O_RDONLY);
    if (::fsync(fd.get()) != 0) throw_errno("cannot sync {}", draft);
    if (::rename(draft.c_str(), path.c_str()) != 0) throw_errno("cannot replace {}", path.string());
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
}

void make_directories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw system_error(error.value(), fmt::format("cannot make directory {}", path.string()));
}

TemporaryDirectory::TemporaryDirectory(const std::filesystem::path& parent,
                                       std::string_view prefix) {
  std::string name = (parent / fmt::format("{}XXXXXX", prefix)).string();
  if (::mkdtemp(name.data()) == nullptr) throw_errno("cannot make a directory like {}", name);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace twinbox::base
