#include "compare/result.hpp"

#include <algorithm>

namespace twinbox::compare {

std::string_view to_string(HostKind kind) {
  return kind == HostKind::native ? "native" : "deterministic lab";
}

std::string_view to_string(BoxKind kind) {
  switch (kind) {
    case BoxKind::process:
      return "process";
    case BoxKind::container:
      return "container";
    case BoxKind::machine:
      return "machine";
  }
  return {};
}

std::string_view to_string(Better better) { return better == Better::lower ? "lower" : "higher"; }

std::string_view to_string(AuditState state) {
  switch (state) {
    case AuditState::pass:
      return "pass";
    case AuditState::warn:
      return "warn";
    case AuditState::fail:
      return "fail";
  }
  return {};
}

Engine describe_engine(const std::string& name) {
  Engine engine;
  engine.name = name;
  engine.title = name;
  if (name == "process") {
    engine.title = "plain process";
  } else if (name.starts_with("vm")) {
    engine.kind = BoxKind::machine;
    engine.title = "microVM" + (name == "vm" ? "" : " " + name.substr(2));
  } else if (name.starts_with("qemu")) {
    engine.kind = BoxKind::machine;
    engine.title = "QEMU" + name.substr(4);
  } else {
    engine.kind = BoxKind::container;
  }
  return engine;
}

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

const Engine* Result::find_engine(std::string_view name) const {
  const auto found = std::find_if(engines.begin(), engines.end(),
                                  [&](const Engine& engine) { return engine.name == name; });
  return found == engines.end() ? nullptr : &*found;
}

const Host& Result::host_of(std::string_view engine) const {
  static const Host unknown;
  const auto* described = find_engine(engine);
  for (const auto& host : hosts) {
    if (described != nullptr && host.name == described->host) return host;
  }
  return hosts.empty() ? unknown : hosts.front();
}

bool Result::has_lab() const {
  return std::any_of(engines.begin(), engines.end(), [&](const Engine& engine) {
    return host_of(engine.name).kind == HostKind::deterministic_lab;
  });
}

}  // namespace twinbox::compare
