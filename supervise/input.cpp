#include "supervise/input.hpp"

#include <fcntl.h>

#include <tuple>
#include <utility>

#include "base/syscall.hpp"

namespace twinbox::supervise {

void Input::renew() {
  if (!open_) return;
  std::tie(read_end_, write_end_) = base::make_pipe();
  base::set_nonblocking(write_end_.get(), true);
}

base::Fd Input::take_read_end() {
  return open_ ? std::move(read_end_) : base::open_file("/dev/null", O_RDONLY);
}

base::Fd Input::writer() const {
  return write_end_ ? base::duplicate(write_end_.get()) : base::Fd();
}

}  // namespace twinbox::supervise
