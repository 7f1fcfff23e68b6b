// What each box needs, takes long to make and is the same for all, made by an owner who has the
// time before there is a box.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "container/cgroup.hpp"
#include "container/device_rules.hpp"
#include "container/parked_init.hpp"

namespace twinbox::container {

struct Spares {
  std::string id;    // of the box that the group is for
  Cgroup cgroup;     // without limits
  base::Fd network;  // a network namespace with its loopback up
  std::vector<DeviceRule> rules;
  bool devices_controlled = false;  // the group has them already
  std::optional<ParkedInit> init;   // in that group and namespace
};

// `directory` is one to mount on. Leaves the calling thread in the namespaces that it was in.
// Throws base::Error.
Spares make_spares(const std::string& id, const std::filesystem::path& directory);

}  // namespace twinbox::container
