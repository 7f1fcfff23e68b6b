#include "container/successor.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/error.hpp"
#include "container/init.hpp"

namespace twinbox::container {

Successor Successor::expected() {
  return Successor(base::Mapping::of_file(-1, sizeof(pid_t), PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS));
}

void Successor::take_over() const {
  // Whoever rules the successor must not be able to name another process to the parent.
  if (::madvise(shared_.data(), shared_.size(), MADV_DONTFORK) != 0) {
    base::throw_errno("cannot keep a page from a process of a box");
  }
  // The page must be there already: a fault, on a kill at that moment, would leave it unwritten.
  std::atomic_ref(*reinterpret_cast<pid_t*>(shared_.data())).store(0);
  // Not clone3, which system call filters, already in force, make out to be unknown.
  const auto made =
      ::syscall(SYS_clone, CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, 0, shared_.data(), 0, 0);
  if (made < 0) {
    const int error = errno;
    throw base::system_error(
        error, "cannot make a process in the box",
        error == EPERM || error == ENOSYS ? "the box's seccomp profile must allow clone" : "");
  }
  if (made > 0) end_child(0);
}

pid_t Successor::pid() const {
  if (shared_.data() == nullptr) return 0;
  return std::atomic_ref(*reinterpret_cast<pid_t*>(shared_.data())).load();
}

}  // namespace twinbox::container
