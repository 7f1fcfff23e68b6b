// The one exception type of the project: what was attempted on what, why it failed, how to mend it.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace twinbox::base {

enum class ErrorKind {
  usage,        // the caller asked for something that makes no sense
  not_found,    // the named thing is not there
  conflict,     // the named thing is there already, or in the wrong state
  unsupported,  // this host or this engine cannot do it
  system,       // the operating system refused
  internal,     // a broken promise of our own
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {}, int number = 0);

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  // How to mend it; empty where there is nothing useful to say.
  const std::string& hint() const { return hint_; }
  // The errno value of a system error, for whoever mends one kind of them; 0 where there is none.
  int number() const { return number_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  int number_;
  std::string text_;
};

// A system error from an errno value: "MESSAGE: No such file or directory".
Error system_error(int error_number, std::string_view message, std::string hint = {});

// Whether a disk is full, or what a quota leaves of it.
inline bool is_out_of_room(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT;
}

// Throws system_error(errno, formatted message).
template <typename... Args>
[[noreturn]] void throw_errno(fmt::format_string<Args...> format, Args&&... args) {
  const int saved = errno;
  throw system_error(saved, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace twinbox::base
