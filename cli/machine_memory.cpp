#include "cli/machine_memory.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/procfs.hpp"

namespace twinbox::cli {

std::optional<base::Json> machine_memory(pid_t monitor) {
  std::string text;
  try {
    text = base::read_file(fmt::format("/proc/{}/smaps", monitor));
  } catch (const base::Error&) {
    return std::nullopt;
  }
  const auto mappings = compare::parse_smaps(text);
  const auto guest = compare::guest_ram(mappings);
  std::uint64_t of_template = 0;
  std::uint64_t of_kernel = 0;
  std::uint64_t written = 0;
  for (const auto& part : guest) {
    const bool is_template = part.name.ends_with(".snapshot");
    (is_template ? of_template : of_kernel) += part.footprint.rss - part.anonymous;
    written += part.anonymous;
  }
  const auto of_image = compare::total(compare::guest_image(mappings)).rss;
  return base::Json{
      {"SharedImage", of_image},
      {"SharedTemplate", of_template},
      {"SharedKernel", of_kernel},
      {"Private", written},
      {"Monitor", compare::total(mappings).rss - compare::total(guest).rss - of_image}};
}

}  // namespace twinbox::cli
