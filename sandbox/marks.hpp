// The moments of a box's life that every engine is timed at (host CLOCK_MONOTONIC).
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/stamp.hpp"

namespace twinbox::base {
class JsonView;
}

namespace twinbox::sandbox {

enum class Mark {
  request,       // t0: whoever measures spawns the command
  entered,       // t1: the monitor, or the runtime, entered main
  created,       // t2: first KVM_RUN, or clone returned
  booted,        // t3: the guest's agent started, or root and cgroup are ready
  executed,      // t4: the workload was executed
  first_output,  // t5: its first byte of output
  ready,         // t6: ready by the measure's own definition
  gone,          // t7: nothing of the box is left
};
inline constexpr std::size_t mark_count = 8;

std::string_view to_string(Mark mark);

// One stamp per mark; the first one stands.
class Marks {
 public:
  void stamp(Mark mark);
  void stamp(Mark mark, const Stamp& stamp);
  std::optional<Stamp> find(Mark mark) const;
  // The two times of a stamp, in nanoseconds; no CPU time where nobody counted it.
  std::optional<std::uint64_t> at(Mark mark) const;
  std::optional<std::uint64_t> cpu_at(Mark mark) const;

  // {"entered": 123, ..., "cpu_ns": {"entered": 45, ...}}; the CPU times only where they are
  // counted.
  std::string to_json() const;
  static Marks from_json(std::string_view text, std::string_view source);
  // The same as a part of other JSON.
  nlohmann::json json() const;
  static Marks from(const base::JsonView& view);

 private:
  std::array<Stamp, mark_count> stamps_{};
};

}  // namespace twinbox::sandbox
