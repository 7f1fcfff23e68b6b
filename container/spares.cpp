#include "container/spares.hpp"

#include <fcntl.h>
#include <sched.h>

#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/device_program.hpp"
#include "container/process_setup.hpp"

namespace twinbox::container {
namespace {

constexpr const char* own_network = "/proc/thread-self/ns/net";

base::Fd make_network() {
  const auto before = base::open_file(own_network, O_RDONLY);
  if (::unshare(CLONE_NEWNET) != 0) base::throw_errno("cannot make a network namespace");
  bring_up_loopback();
  auto made = base::open_file(own_network, O_RDONLY);
  if (::setns(before.get(), CLONE_NEWNET) != 0) {
    base::throw_errno("cannot go back to the network namespace");
  }
  return made;
}

bool control_where_possible(const Spares& spares) {
  try {
    spares.cgroup.control_devices(spares.rules);
    return true;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::unsupported) throw;
    return false;
  }
}

}  // namespace

Spares make_spares(const std::string& id, const std::filesystem::path& directory) {
  Spares spares{.id = id,
                .cgroup = Cgroup::make(host_cgroup_layout(), id, {}),
                .network = make_network(),
                .rules = device_rules({}),
                .devices_controlled = false,
                .init = {}};
  spares.devices_controlled = spares.cgroup.unified() && control_where_possible(spares);
  InitPlan early;
  early.directory = directory;
  early.cgroups = host_cgroup_layout();
  early.cgroup_joins = spares.cgroup.joins();
  early.network = spares.network.get();
  spares.init.emplace(std::move(early), spares.cgroup.clone_target());
  return spares;
}

}  // namespace twinbox::container
