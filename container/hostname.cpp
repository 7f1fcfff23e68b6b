#include "container/hostname.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::container {

HostnameOf::HostnameOf(pid_t process)
    : own_(base::open_file("/proc/self/ns/uts", O_RDONLY)),
      boxs_(base::open_file(fmt::format("/proc/{}/ns/uts", process), O_RDONLY)) {}

void HostnameOf::set(const std::string& name) const {
  if (::setns(boxs_.get(), CLONE_NEWUTS) != 0) base::throw_errno("cannot enter a box");
  const bool set = ::sethostname(name.data(), name.size()) == 0;
  const int error = errno;
  if (::setns(own_.get(), CLONE_NEWUTS) != 0) base::throw_errno("cannot leave a box");
  errno = error;
  if (!set) base::throw_errno("cannot set the host name of a box");
}

}  // namespace twinbox::container
