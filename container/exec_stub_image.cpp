#include "container/exec_stub_image.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <span>

#include "base/error.hpp"
#include "base/syscall.hpp"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

extern "C" const std::byte twinbox_exec_stub_begin[];
extern "C" const std::byte twinbox_exec_stub_end[];

namespace twinbox::container {
namespace {

base::Fd make_memory_file() {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  // Linux 6.3 wants to be told that it will be executed; an older one does not know the flag.
  base::Fd file(::memfd_create("twinbox-exec", flags | MFD_EXEC));
  if (!file && errno == EINVAL) file = base::Fd(::memfd_create("twinbox-exec", flags));
  if (!file) {
    const int error = errno;
    throw base::system_error(error, "cannot make an executable file in memory",
                             error == EACCES ? "the sysctl vm.memfd_noexec must be 0 or 1" : "");
  }
  return file;
}

}  // namespace

base::Fd make_exec_stub() {
  auto file = make_memory_file();
  base::write_all(file.get(), std::span(twinbox_exec_stub_begin, twinbox_exec_stub_end));
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(file.get(), F_ADD_SEALS, seals) != 0) {
    base::throw_errno("cannot seal a file in memory");
  }
  return file;
}

}  // namespace twinbox::container
