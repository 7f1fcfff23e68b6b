#include "guest-images/guest_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::guest_images {
namespace {

namespace fs = std::filesystem;

class ChooseKernel : public testing::Test {
 protected:
  ChooseKernel() { ::setenv("TWINBOX_ROOT", directory_.path().c_str(), 1); }
  ~ChooseKernel() override {
    ::unsetenv("TWINBOX_ROOT");
    ::unsetenv("TWINBOX_KERNEL");
  }

  fs::path kernels() const { return directory_.path() / "kernels"; }
  void add(const std::string& file) const {
    base::make_directories((kernels() / file).parent_path());
    base::write_file(kernels() / file, "a kernel");
  }
  void add_stock() const {
    add("stock/vmlinuz");
    base::write_file(kernels() / "stock/version", "6.1.0-1\n");
    base::make_directories(kernels() / "stock/modules/lib/modules/6.1.0-1");
  }

  base::TemporaryDirectory directory_;
};

TEST_F(ChooseKernel, StockComesWithItsModules) {
  add_stock();
  const auto kernel = choose_kernel("stock", VirtioBus::pci);

  EXPECT_EQ(kernels() / "stock/vmlinuz", kernel.image);
  EXPECT_EQ(kernels() / "stock/modules/lib/modules/6.1.0-1", kernel.modules);
}

TEST_F(ChooseKernel, AFileWithoutAcpiTakesItsDevicesAsParameters) {
  const auto file = directory_.path() / "vmlinux";
  const auto firmware = [&](const std::string& content, VirtioBus bus = VirtioBus::mmio) {
    base::write_file(file, content);
    return choose_kernel(file, bus).firmware;
  };

  EXPECT_EQ(Firmware::mp_table, firmware("\177ELF ... virtio-mmio-cmdline ..."));
  EXPECT_EQ(Firmware::acpi, firmware("\177ELF ... virtio-mmio-cmdline acpi_rsdp"));
  EXPECT_EQ(Firmware::acpi, firmware("\177ELF ..."));
  EXPECT_EQ(Firmware::acpi, firmware("MZ ... virtio-mmio-cmdline ..."));
  EXPECT_EQ(Firmware::acpi, firmware("\177ELF ... virtio-mmio-cmdline ...", VirtioBus::pci));
}

TEST_F(ChooseKernel, TunedIsTheDefaultOnceItIsThere) {
  add_stock();
  EXPECT_EQ(kernels() / "stock/vmlinuz", choose_kernel("", VirtioBus::mmio).image);
  add("tuned/vmlinux");

  const auto kernel = choose_kernel("", VirtioBus::mmio);

  EXPECT_EQ(kernels() / "tuned/vmlinux", kernel.image);
  EXPECT_EQ(fs::path(), kernel.modules);
  EXPECT_EQ(kernels() / "stock/vmlinuz", choose_kernel("stock", VirtioBus::mmio).image);
}

TEST_F(ChooseKernel, TellsOfDriversForPersistentMemory) {
  add_stock();
  add("tuned/vmlinux");
  add("file/vmlinux");
  const auto known = [](const std::string& choice) {
    return choose_kernel(choice, VirtioBus::mmio).persistent_memory;
  };
  EXPECT_FALSE(known("stock"));
  EXPECT_FALSE(known("tuned"));
  EXPECT_FALSE(known((kernels() / "file/vmlinux").string()));
  add("stock/modules/lib/modules/6.1.0-1/kernel/drivers/nvdimm/virtio_pmem.ko");
  add("tuned/persistent-memory");
  EXPECT_TRUE(known("stock"));
  EXPECT_TRUE(known("tuned"));
}

TEST_F(ChooseKernel, TunedIsNotForMachinesWithPci) {
  add_stock();
  add("tuned/vmlinux");

  EXPECT_EQ(kernels() / "stock/vmlinuz", choose_kernel("", VirtioBus::pci).image);
  try {
    choose_kernel("tuned", VirtioBus::pci);
    FAIL() << "a kernel that would find no device was chosen";
  } catch (const base::Error& error) {
    EXPECT_EQ(base::ErrorKind::unsupported, error.kind());
    EXPECT_THAT(error.message(), testing::HasSubstr("PCI"));
    EXPECT_THAT(error.hint(), testing::HasSubstr("--kernel stock"));
  }
}

TEST_F(ChooseKernel, TheEnvironmentSetsTheDefaultAlone) {
  add_stock();
  add("tuned/vmlinux");
  add("other");
  ::setenv("TWINBOX_KERNEL", "stock", 1);
  EXPECT_EQ(kernels() / "stock/vmlinuz", choose_kernel("", VirtioBus::mmio).image);
  EXPECT_EQ(kernels() / "tuned/vmlinux", choose_kernel("tuned", VirtioBus::mmio).image);
  ::setenv("TWINBOX_KERNEL", (kernels() / "other").c_str(), 1);
  EXPECT_EQ(kernels() / "other", choose_kernel("", VirtioBus::pci).image);
}

TEST_F(ChooseKernel, AMissingOneIsNamedWithItsMend) {
  const auto expect_error = [](const std::string& choice, const char* name, const char* hint) {
    try {
      choose_kernel(choice, VirtioBus::mmio);
      FAIL() << "found a kernel that is not there: " << choice;
    } catch (const base::Error& error) {
      EXPECT_EQ(base::ErrorKind::not_found, error.kind());
      EXPECT_THAT(error.message(), testing::HasSubstr(name));
      EXPECT_THAT(error.hint(), testing::HasSubstr(hint));
    }
  };
  expect_error("", "kernels/stock/vmlinuz", "fetch-kernel");
  expect_error("tuned", "kernels/tuned/vmlinux", "build-kernel");
  expect_error("/nowhere/vmlinux", "/nowhere/vmlinux", "vmlinux");
}

TEST_F(ChooseKernel, AChoiceIsCheckedWhereItIsMade) {
  add("file");
  EXPECT_EQ("", checked_kernel_choice(""));
  EXPECT_EQ("tuned", checked_kernel_choice("tuned"));
  EXPECT_EQ("stock", checked_kernel_choice("stock"));
  const fs::path made = checked_kernel_choice(fs::relative(kernels() / "file"));
  EXPECT_TRUE(made.is_absolute());
  EXPECT_TRUE(fs::equivalent(kernels() / "file", made));
  EXPECT_THROW(checked_kernel_choice("/nowhere/vmlinux"), base::Error);
}

}  // namespace
}  // namespace twinbox::guest_images
