#include "base/error.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace twinbox::base {

Error::Error(ErrorKind kind, std::string message, std::string hint, int number)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)), number_(number) {
  text_ = hint_.empty() ? message_ : message_ + " (" + hint_ + ")";
}

Error system_error(int error_number, std::string_view message, std::string hint) {
  const auto kind = error_number == ENOENT ? ErrorKind::not_found : ErrorKind::system;
  return {kind, fmt::format("{}: {}", message, ::strerror(error_number)), std::move(hint),
          error_number};
}

}  // namespace twinbox::base
