#include "cli/bounded_answer.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <span>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::cli {

BoundedAnswer::BoundedAnswer(std::size_t most_bytes)
    : file_(::memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (!file_ || ::ftruncate(file_.get(), static_cast<off_t>(most_bytes)) != 0 ||
      ::fcntl(file_.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
    base::throw_errno("cannot make room for an answer");
  }
}

// Every writer shares the file's position.
std::string BoundedAnswer::text() const {
  std::string text(static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_CUR)), '\0');
  base::pread_exact(file_.get(), std::as_writable_bytes(std::span(text)), 0);
  return text;
}

}  // namespace twinbox::cli
