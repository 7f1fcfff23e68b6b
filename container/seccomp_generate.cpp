// Writes the default filter as C++ initializers, while twinbox is built.
#include <fmt/core.h>

#include <cstdio>

#include "base/error.hpp"
#include "container/seccomp_profile.hpp"

int main() {
  namespace container = twinbox::container;
  try {
    const auto program = container::compile_filter(container::default_filter_capabilities());
    for (const auto& instruction : program) {
      fmt::print("sock_filter{{{}, {}, {}, {}}},\n", instruction.code, instruction.jt,
                 instruction.jf, instruction.k);
    }
  } catch (const twinbox::base::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
