// What the C++ library does last before it aborts. Its own handler prints a demangled type name,
// and the demangler alone would be a tenth of the agent; an uncaught exception is a defect of ours
// anyway.
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace __gnu_cxx {

[[noreturn]] void __verbose_terminate_handler() {
  constexpr std::string_view text = "twinbox-agent: error: ended by an uncaught exception\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  std::abort();
}

}  // namespace __gnu_cxx
