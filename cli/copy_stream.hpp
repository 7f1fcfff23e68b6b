// The pieces that `cp` is put together from: tar streams between processes of this command.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/fd.hpp"

namespace twinbox::cli {

// What happens to a tar on its way.
struct TarChange {
  // What the packed file, or the top directory, is to be called. All of the tar is put below it,
  // whatever it says.
  std::string name;
  bool own_owners = true;  // all of it becomes root's, in place of whom it was
};
void change_tar(int in, int out, const TarChange& change);

// A process of this command that works on one end of a pipe. Errors are told by it.
class Stage {
 public:
  // `work` is given `end` in a child process.
  Stage(base::Fd end, const std::function<void(int end)>& work);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage();

  // Waits for it; whether it went well.
  bool finish();

 private:
  pid_t pid_;
};

}  // namespace twinbox::cli
