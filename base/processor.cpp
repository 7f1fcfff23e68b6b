#include "base/processor.hpp"

#include <cpuid.h>
#include <fmt/format.h>

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

std::string processor_signature() {
  std::array<unsigned, 4> basic{};
  std::array<unsigned, 4> more{};
  __get_cpuid(1, &basic[0], &basic[1], &basic[2], &basic[3]);
  __get_cpuid_count(7, 0, &more[0], &more[1], &more[2], &more[3]);
  // EBX of leaf 1 tells where this thread runs.
  return fmt::format("{:x} {:x} {:x} {:x} {:x} {:x}", basic[0], basic[2], basic[3], more[1],
                     more[2], more[3]);
}

bool processor_is_emulated() {
  unsigned highest = 0;
  std::array<unsigned, 3> signature{};
  // The leaf of hypervisors; without one it holds something else.
  __cpuid(0x4000'0000, highest, signature[0], signature[1], signature[2]);
  return std::memcmp(signature.data(), "TCGTCGTCGTCG", sizeof signature) == 0;
}

}  // namespace twinbox::base
