#include "qemu/libvirt/embedded_driver.hpp"

#include <sys/prctl.h>

#include <cstdlib>

#include "base/file.hpp"
#include "qemu/libvirt/capability_cache.hpp"
#include "qemu/libvirt/event_thread.hpp"
#include "qemu/libvirt/orphan_reaper.hpp"
#include "qemu/libvirt/strays.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::qemu::libvirt {
namespace {

namespace fs = std::filesystem;

// QEMU is confined by its own seccomp filter. Labels, changes of ownership, control groups and a
// /dev of its own would be more to undo after a kill.
constexpr const char* configuration = R"(user = "root"
group = "root"
remember_owner = 0
dynamic_ownership = 0
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
)";

// libvirt reads where to log once per process; its warnings about the above are not for stderr.
void initialize(const fs::path& log) {
  constexpr const char* variable = "LIBVIRT_LOG_OUTPUTS";
  const bool chosen_by_user = std::getenv(variable) != nullptr;
  if (!chosen_by_user) ::setenv(variable, ("3:file:" + log.string()).c_str(), 1);
  const int result = library().virInitialize();
  if (!chosen_by_user) ::unsetenv(variable);
  if (result < 0) throw_libvirt_error("cannot initialize libvirt");
  // Errors are thrown; the default would print each.
  library().virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
}

}  // namespace

fs::path driver_directories() { return sandbox::run_root() / "libvirt"; }

void sweep_drivers() {
  sandbox::sweep_ownerless(driver_directories(), [](const fs::path& directory) {
    kill_strays(directory.string() + "/");
  });
}

EmbeddedDriver& EmbeddedDriver::of_this_process() {
  static EmbeddedDriver driver;
  return driver;
}

EmbeddedDriver::EmbeddedDriver()
    : directory_(sandbox::OwnedDirectory::create(driver_directories())) {
  const auto& path = directory_.path();
  base::make_directories(path / "etc");
  base::write_file(path / "etc/qemu.conf", configuration);
  provide_capabilities(path);
  initialize(path / "libvirt.log");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // see OrphanReaper
  events_ = std::make_unique<EventThread>();
  connection_ = library().virConnectOpen(("qemu:///embed?root=" + path.string()).c_str());
  if (connection_ == nullptr) throw_libvirt_error("cannot open libvirt's QEMU driver");
}

EmbeddedDriver::~EmbeddedDriver() { library().virConnectClose(connection_); }

virDomainPtr EmbeddedDriver::start(const std::string& name, const std::string& xml) {
  virDomainPtr domain = nullptr;
  {
    const OrphanReaper reaper(directory_.path());
    domain = library().virDomainCreateXML(connection_, xml.c_str(), 0);
  }
  if (domain == nullptr) {
    throw_libvirt_error(fmt::format("cannot start QEMU for the box {}", name));
  }
  keep_capabilities(directory_.path());
  return domain;
}

void EmbeddedDriver::suspend(virDomainPtr domain) {
  if (library().virDomainSuspend(domain) != 0) throw_libvirt_error("cannot pause the machine");
}

void EmbeddedDriver::resume(virDomainPtr domain) {
  if (library().virDomainResume(domain) != 0) throw_libvirt_error("cannot resume the machine");
}

void EmbeddedDriver::forget(virDomainPtr domain) {
  library().virDomainDestroy(domain);  // fails when the driver has seen the end itself
  library().virDomainFree(domain);
}

fs::path EmbeddedDriver::pid_file(const std::string& name) const {
  return directory_.path() / "run/qemu" / (name + ".pid");
}

}  // namespace twinbox::qemu::libvirt
