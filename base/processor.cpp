#include "base/processor.hpp"

#include <cpuid.h>

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

}  // namespace twinbox::base
