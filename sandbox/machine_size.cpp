#include "sandbox/machine_size.hpp"

#include <cmath>

#include "base/error.hpp"

namespace twinbox::sandbox {
namespace {

constexpr std::uint64_t page_size = 4096;

std::uint64_t memory_for(const Resources& resources) {
  const auto bytes = resources.memory_bytes.value_or(default_machine_memory);
  if (bytes < minimum_machine_memory) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("a machine with {} of memory cannot boot a kernel", base::format_size(bytes)),
        fmt::format("give it at least --memory {}m, or run it as a container",
                    minimum_machine_memory / base::mebibyte));
  }
  return bytes / page_size * page_size;
}

unsigned cpus_for(const Resources& resources) {
  const double wanted = std::ceil(resources.cpus.value_or(1));
  if (!(wanted >= 1 && wanted <= maximum_machine_cpus)) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("a machine cannot have {} processors", wanted),
                      fmt::format("give it 1 to {}", maximum_machine_cpus));
  }
  return static_cast<unsigned>(wanted);
}

}  // namespace

MachineSize machine_size(const Resources& resources) {
  return {.memory_bytes = memory_for(resources), .cpus = cpus_for(resources)};
}

}  // namespace twinbox::sandbox
