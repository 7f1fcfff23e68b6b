// What is written down of a snapshot: a box that was saved while it ran.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sandbox/spec.hpp"
#include "supervise/record.hpp"

namespace twinbox::supervise {

struct SnapshotRecord {
  std::string id;  // 12 hexadecimal digits
  std::string name;
  std::int64_t created = 0;  // nanoseconds since the epoch
  BoxRecord box;             // as it was then
  sandbox::Spec spec;        // its workload
};

std::string to_json(const SnapshotRecord& record);
// Throws base::Error, also (unsupported) for one of a later version of twinbox.
SnapshotRecord snapshot_record_from_json(std::string_view text, std::string_view source);

}  // namespace twinbox::supervise
