#include "guest-images/agent/figures.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/size.hpp"

namespace twinbox::agent {
namespace {

// "MemTotal:        1234 kB" in bytes; 0 when there is no such line.
std::uint64_t field(std::string_view meminfo, std::string_view name) {
  auto start = meminfo.find(name);
  if (start == std::string_view::npos) return 0;
  start = meminfo.find_first_of("0123456789", start);
  if (start == std::string_view::npos) return 0;
  std::uint64_t kilobytes = 0;
  std::from_chars(meminfo.data() + start, meminfo.data() + meminfo.size(), kilobytes);
  return kilobytes * base::kibibyte;
}

}  // namespace

std::string memory_figures() {
  const auto meminfo = base::read_file("/proc/meminfo");
  return base::Json{{"total_bytes", field(meminfo, "MemTotal:")},
                    {"free_bytes", field(meminfo, "MemFree:")},
                    {"available_bytes", field(meminfo, "MemAvailable:")},
                    {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)}}
      .dump();
}

}  // namespace twinbox::agent
