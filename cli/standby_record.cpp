#include "cli/standby_record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "sandbox/owned_directory.hpp"
#include "vmm/standby.hpp"

namespace twinbox::cli {
namespace {

constexpr const char* file_name = "standby.json";

// nullopt where its keeper has yet to write it, or has just removed it.
std::optional<StandbyRecord> read_standby(const std::filesystem::path& place) {
  try {
    const auto path = place / file_name;
    const auto json = base::parse_json(base::read_file(path), path.string());
    const base::JsonView view(json, path.string());
    return StandbyRecord{.image = view.get<std::string>("image"),
                         .memory_bytes = view.get<std::uint64_t>("memory_bytes"),
                         .cpus = view.get<unsigned>("cpus"),
                         .kernel = view.get<std::string>("kernel"),
                         .count = view.get<std::size_t>("count"),
                         .ready = view.get<std::size_t>("ready"),
                         .taken = view.get<std::size_t>("taken"),
                         .created = view.get<std::int64_t>("created")};
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

}  // namespace

void write_standby(const std::filesystem::path& place, const StandbyRecord& record) {
  const base::Json json{{"image", record.image}, {"memory_bytes", record.memory_bytes},
                        {"cpus", record.cpus},   {"kernel", record.kernel},
                        {"count", record.count}, {"ready", record.ready},
                        {"taken", record.taken}, {"created", record.created}};
  base::write_file_atomic(place / file_name, json.dump());
}

std::vector<KeptStandby> kept_standbys() {
  const auto parent = vmm::standby_directory();
  sandbox::sweep_ownerless(parent);
  std::vector<KeptStandby> kept;
  for (const auto& name : base::names_in(parent)) {
    if (name.ends_with(sandbox::gone_suffix)) continue;
    const auto keeper = sandbox::owner_of(parent / name);
    const auto record = read_standby(parent / name);
    if (keeper && record) kept.push_back({parent / name, *keeper, *record});
  }
  std::ranges::sort(kept, {}, [](const KeptStandby& one) { return one.record.created; });
  return kept;
}

}  // namespace twinbox::cli
