#include "base/processor.hpp"

#include <cpuid.h>

#include <array>
#include <cstring>

namespace twinbox::base {

bool processor_virtualizes() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  const bool vmx = __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & (1U << 5)) != 0;
  const bool svm = __get_cpuid(0x8000'0001, &eax, &ebx, &ecx, &edx) != 0 && (ecx & (1U << 2)) != 0;
  return vmx || svm;
}

bool processor_is_emulated() {
  unsigned highest = 0;
  std::array<unsigned, 3> signature{};
  // The leaf of hypervisors; without one it holds something else.
  __cpuid(0x4000'0000, highest, signature[0], signature[1], signature[2]);
  return std::memcmp(signature.data(), "TCGTCGTCGTCG", sizeof signature) == 0;
}

}  // namespace twinbox::base
