// libvirt, loaded when the first box needs it, so that twinbox also runs where it is not installed
// and every other command starts without its fifty libraries. A static program cannot load it:
// there, check_installed() goes on as `twinbox-qemu`, and has to be called before anything is done.
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace twinbox::qemu::libvirt {

// The functions that are used, by their own names.
struct Functions {
  decltype(&::virInitialize) virInitialize;
  decltype(&::virGetVersion) virGetVersion;
  decltype(&::virSetErrorFunc) virSetErrorFunc;
  decltype(&::virGetLastErrorMessage) virGetLastErrorMessage;
  decltype(&::virEventRegisterDefaultImpl) virEventRegisterDefaultImpl;
  decltype(&::virEventRunDefaultImpl) virEventRunDefaultImpl;
  decltype(&::virEventAddTimeout) virEventAddTimeout;
  decltype(&::virEventRemoveTimeout) virEventRemoveTimeout;
  decltype(&::virConnectOpen) virConnectOpen;
  decltype(&::virConnectClose) virConnectClose;
  decltype(&::virDomainCreateXML) virDomainCreateXML;
  decltype(&::virDomainDestroy) virDomainDestroy;
  decltype(&::virDomainFree) virDomainFree;
  decltype(&::virDomainSuspend) virDomainSuspend;
  decltype(&::virDomainResume) virDomainResume;
};

// Loads the library the first time. Throws base::Error (unsupported) naming the package when it is
// missing.
const Functions& library();

// Throws base::Error (unsupported), naming the package to install, where libvirt, its QEMU driver,
// the driver's user or QEMU is missing, or when this process is not root's.
void check_installed();

// Throws base::Error (unsupported): `package` holds `what`, which the engine needs.
[[noreturn]] void fail_missing(const std::string& what, std::string_view package);

// QEMU's own path. Throws base::Error (unsupported).
std::filesystem::path emulator();

// As "7.2.0"; "unknown" where QEMU does not say. Throws base::Error (unsupported).
std::string emulator_version();
std::string library_version();

// Throws base::Error (system): what was attempted, and the reason libvirt gives in this thread.
[[noreturn]] void throw_libvirt_error(std::string_view attempted);

}  // namespace twinbox::qemu::libvirt
