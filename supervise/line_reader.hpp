// The lines of a file that others append to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace twinbox::supervise {

class LineReader {
 public:
  explicit LineReader(base::Fd file, std::uint64_t offset = 0);

  // The next whole line without its newline, valid until the next call. Nullopt where there is
  // none yet: asked again later, it goes on from there.
  std::optional<std::string_view> next();

  int fd() const { return file_.get(); }

 private:
  bool fill();
  std::nullopt_t forget_the_rest();

  base::Fd file_;
  std::uint64_t offset_;  // in the file, of what follows the buffer
  std::string buffer_;
  std::size_t start_ = 0;     // of the next line in the buffer
  std::size_t searched_ = 0;  // up to here no newline follows start_
};

}  // namespace twinbox::supervise
