#include "container/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/mount_api.hpp"

namespace twinbox::container {
namespace {

constexpr unsigned terminal_group = 5;  // "tty", also in the mount options of /dev/pts

// A running box can put anything at this path: only the real multiplexer is opened for use.
base::Fd open_multiplexer(int root) {
  const auto found = open_in_root(root, "/dev/pts/ptmx", Links::refused);
  struct stat info {};
  if (!found || ::fstat(found.get(), &info) != 0 || !S_ISCHR(info.st_mode) ||
      info.st_rdev != makedev(5, 2)) {
    throw base::Error(base::ErrorKind::unsupported,
                      "the box has no /dev/pts/ptmx to make a terminal with");
  }
  return base::open_file(handle_path(found.get()), O_RDWR | O_NOCTTY | O_NONBLOCK);
}

}  // namespace

Terminal open_terminal(int root, const sandbox::User& user, sandbox::TerminalSize size) {
  Terminal terminal{.master = open_multiplexer(root), .slave = {}};
  const int unlock = 0;
  if (::ioctl(terminal.master.get(), TIOCSPTLCK, &unlock) != 0) {
    base::throw_errno("cannot unlock the box's terminal");
  }
  // By the master itself, so that no path of the box is looked up.
  terminal.slave =
      base::Fd(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave) base::throw_errno("cannot open the box's terminal");
  if (::fchown(terminal.slave.get(), user.uid, terminal_group) != 0) {
    base::throw_errno("cannot give the terminal to user {}", user.uid);
  }
  winsize window{};
  window.ws_col = size.columns;
  window.ws_row = size.rows;
  ::ioctl(terminal.slave.get(), TIOCSWINSZ, &window);
  return terminal;
}

void control_terminal(int slave) {
  if (::ioctl(slave, TIOCSCTTY, 0) != 0) {
    base::throw_errno("cannot make the terminal the controlling one");
  }
}

void mount_console(int slave) {
  const auto root = base::open_file("/", O_PATH | O_DIRECTORY);
  const auto place =
      open_or_make_in_root(root.get(), "/dev/console", Links::refused, Missing::file);
  attach_mount(clone_mount(slave, false).get(), place.get(), "/dev/console");
}

}  // namespace twinbox::container
