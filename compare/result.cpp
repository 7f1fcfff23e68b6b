#include "compare/result.hpp"

namespace twinbox::compare {

Footprint& Footprint::operator+=(const Footprint& other) {
  virtual_size += other.virtual_size;
  rss += other.rss;
  pss += other.pss;
  uss += other.uss;
  return *this;
}

Footprint InstanceMemory::total() const {
  Footprint sum;
  for (const auto& [name, footprint] : components) sum += footprint;
  return sum;
}

std::string_view to_string(HostKind kind) {
  return kind == HostKind::native ? "native" : "deterministic lab";
}

}  // namespace twinbox::compare
