#include "qemu/libvirt/library.hpp"

#include <dlfcn.h>
#include <pwd.h>
#include <unistd.h>

#include <string>

namespace twinbox::qemu::libvirt {
namespace {

namespace fs = std::filesystem;

constexpr const char* library_name = "libvirt.so.0";
// The driver refuses to start without it, although QEMU does not run as it.
constexpr const char* driver_user = "libvirt-qemu";

void* load() {
  // Never unloaded: libvirt leaves threads and thread-local data behind.
  void* const handle = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    fail_missing(fmt::format("{}, which is not installed", library_name),
                 "libvirt-daemon-driver-qemu");
  }
  return handle;
}

template <typename Function>
void find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  if (function == nullptr) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("{} has no function {}", library_name, name),
                      "install libvirt 9.0 or newer");
  }
}

Functions load_functions() {
  void* const handle = load();
  Functions functions{};
  find(handle, "virInitialize", functions.virInitialize);
  find(handle, "virGetVersion", functions.virGetVersion);
  find(handle, "virSetErrorFunc", functions.virSetErrorFunc);
  find(handle, "virGetLastErrorMessage", functions.virGetLastErrorMessage);
  find(handle, "virEventRegisterDefaultImpl", functions.virEventRegisterDefaultImpl);
  find(handle, "virEventRunDefaultImpl", functions.virEventRunDefaultImpl);
  find(handle, "virEventAddTimeout", functions.virEventAddTimeout);
  find(handle, "virEventRemoveTimeout", functions.virEventRemoveTimeout);
  find(handle, "virConnectOpen", functions.virConnectOpen);
  find(handle, "virConnectClose", functions.virConnectClose);
  find(handle, "virDomainCreateXML", functions.virDomainCreateXML);
  find(handle, "virDomainDestroy", functions.virDomainDestroy);
  find(handle, "virDomainFree", functions.virDomainFree);
  find(handle, "virDomainSuspend", functions.virDomainSuspend);
  find(handle, "virDomainResume", functions.virDomainResume);
  return functions;
}

// libvirt looks for its drivers beside itself.
void check_driver() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(library().virInitialize), &info) == 0) return;
  const auto driver =
      fs::path(info.dli_fname).parent_path() / "libvirt/connection-driver/libvirt_driver_qemu.so";
  if (!fs::exists(driver)) {
    fail_missing(fmt::format("libvirt's QEMU driver, which is not at {}", driver.string()),
                 "libvirt-daemon-driver-qemu");
  }
}

}  // namespace

const Functions& library() {
  static const Functions functions = load_functions();
  return functions;
}

void check_installed() {
  emulator();
  check_driver();
  if (::getpwnam(driver_user) == nullptr) {
    fail_missing(fmt::format("the user {}, which libvirt's package makes", driver_user),
                 "libvirt-daemon-system");
  }
  if (::geteuid() != 0) {
    throw base::Error(base::ErrorKind::unsupported, "the engine qemu runs as root only",
                      "use sudo");
  }
}

}  // namespace twinbox::qemu::libvirt
