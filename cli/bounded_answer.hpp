// A file in memory for a short answer of somebody who may write without end.
#pragma once

#include <cstddef>
#include <string>

#include "base/fd.hpp"

namespace twinbox::cli {

class BoundedAnswer {
 public:
  explicit BoundedAnswer(std::size_t most_bytes);

  // To be written to; writing more than it holds fails.
  int fd() const { return file_.get(); }
  // What was written.
  std::string text() const;

 private:
  base::Fd file_;
};

}  // namespace twinbox::cli
