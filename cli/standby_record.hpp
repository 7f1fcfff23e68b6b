// What `twinbox standby` writes down of the machines that it keeps, for those who list them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace twinbox::cli {

struct StandbyRecord {
  std::string image;  // as it was named
  std::uint64_t memory_bytes = 0;
  unsigned cpus = 0;
  std::string kernel;        // as it was chosen; "": the default
  std::size_t count = 0;     // so many are to wait
  std::size_t ready = 0;     // and do now
  std::size_t taken = 0;     // by boxes so far
  std::int64_t created = 0;  // nanoseconds since the epoch
};

void write_standby(const std::filesystem::path& place, const StandbyRecord& record);

struct KeptStandby {
  std::filesystem::path place;
  pid_t keeper = 0;
  StandbyRecord record;
  std::string id() const { return place.filename(); }
};
// Those whose keepers live, the oldest first. What killed ones have left is removed.
std::vector<KeptStandby> kept_standbys();

}  // namespace twinbox::cli
