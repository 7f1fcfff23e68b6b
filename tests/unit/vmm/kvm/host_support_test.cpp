#include "vmm/kvm/host_support.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "vmm/kvm/kvm.hpp"

namespace twinbox::vmm::kvm {
namespace {

TEST(HostSupport, MissingDeviceIsNamedWithAWayOut) {
  const auto host = probe_host("/dev/no-such-kvm");
  EXPECT_EQ(host.kind, HostKind::no_device);
  EXPECT_NE(host.explanation.find("/dev/no-such-kvm"), std::string::npos);
  EXPECT_TRUE(host.hint.find("modprobe") != std::string::npos ||
              host.hint.find("twinbox lab") != std::string::npos)
      << host.hint;
  EXPECT_FALSE(host.runs_linux());
  EXPECT_FALSE(host.runs_bare_metal());
}

TEST(HostSupport, AnotherDeviceIsNotTakenForKvm) {
  EXPECT_EQ(probe_host("/dev/null").kind, HostKind::too_old);
}

TEST(HostSupport, OnlyAUsableHostRunsLinux) {
  HostSupport host;
  host.explanation = "no VT-x";
  host.hint = "twinbox lab";
  host.kind = HostKind::emulated;
  EXPECT_TRUE(host.runs_bare_metal());
  try {
    require_linux_guests(host);
    FAIL() << "an emulated KVM was accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::unsupported);
    EXPECT_EQ(error.message(), "no VT-x");
    EXPECT_EQ(error.hint(), "twinbox lab");
  }
  host.kind = HostKind::usable;
  EXPECT_NO_THROW(require_linux_guests(host));
}

TEST(HostSupport, EveryKindOfTroubleHasAHint) {
  const auto host = probe_host();
  if (host.kind == HostKind::usable) {
    EXPECT_TRUE(host.hint.empty());
  } else {
    EXPECT_FALSE(host.hint.empty());
    EXPECT_FALSE(host.explanation.empty());
  }
}

TEST(Kvm, CannotBeOpenedWithoutADevice) {
  try {
    const Kvm kvm("/dev/no-such-kvm");
    FAIL() << "a device that is not there was opened";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::unsupported);
    EXPECT_FALSE(error.hint().empty());
  }
}

}  // namespace
}  // namespace twinbox::vmm::kvm
