#include "vmm/machine_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"

namespace twinbox::vmm {
namespace {

using testing::HasSubstr;

// A data root, an agent and a kernel that is an ELF file by its first bytes, which is all the plan
// looks at.
class PlanMachine : public testing::Test {
 protected:
  PlanMachine() {
    ::setenv("TWINBOX_ROOT", directory_.path().c_str(), 1);
    ::setenv("TWINBOX_BIN", directory_.path().c_str(), 1);
    base::write_file(directory_.path() / "twinbox-agent", "the agent");
    base::write_file(directory_.path() / "twinbox-vmm", "the monitor");
    base::write_file(kernel(),
                     "\x7f"
                     "ELF and more");
    request_.spec.vm.kernel = kernel();
    request_.root.disks = {"/layers/one.erofs", "/layers/two.erofs"};
  }
  ~PlanMachine() override {
    ::unsetenv("TWINBOX_ROOT");
    ::unsetenv("TWINBOX_BIN");
  }
  std::string kernel() const { return (directory_.path() / "vmlinux").string(); }
  std::string refusal() const {
    try {
      plan_machine(request_);
    } catch (const base::Error& error) {
      EXPECT_NE("", error.hint());
      return error.message();
    }
    return "no refusal";
  }

  base::TemporaryDirectory directory_;
  sandbox::BoxRequest request_;
};

TEST_F(PlanMachine, HasTheLimitsAsItsSize) {
  request_.spec.resources.memory_bytes = 100 * base::mebibyte + 5;
  request_.spec.resources.cpus = 1.5;

  const auto machine = plan_machine(request_);

  EXPECT_EQ(100 * base::mebibyte, machine.memory_bytes);
  EXPECT_EQ(2U, machine.cpus);
}

TEST_F(PlanMachine, HasTheLayersAsReadOnlyDisksInOrder) {
  const auto machine = plan_machine(request_);

  ASSERT_EQ(2U, machine.disks.size());
  EXPECT_EQ("/layers/one.erofs", machine.disks[0].path);
  EXPECT_TRUE(machine.disks[0].read_only);
  EXPECT_TRUE(machine.disks[1].read_only);
}

TEST_F(PlanMachine, BootsTheAgentAndTellsItTheMarkRegister) {
  request_.spec.vm.kernel_parameters = "mine=1";

  const auto machine = plan_machine(request_);

  EXPECT_EQ(kernel(), machine.kernel);
  EXPECT_TRUE(std::filesystem::exists(machine.initrd));
  EXPECT_THAT(machine.command_line, HasSubstr(" twinbox.marks=0xd1000000"));
  EXPECT_THAT(machine.command_line, testing::EndsWith(" mine=1"));
}

TEST_F(PlanMachine, TakesAnotherInitrdInstead) {
  request_.spec.vm.initrd = "/some/initrd";
  EXPECT_EQ("/some/initrd", plan_machine(request_).initrd);
}

TEST_F(PlanMachine, RefusesWhatNoMachineIs) {
  request_.spec.resources.memory_bytes = base::mebibyte;
  EXPECT_THAT(refusal(), HasSubstr("1.0 MiB"));

  request_.spec.resources.memory_bytes.reset();
  request_.spec.resources.cpus = 9;
  EXPECT_THAT(refusal(), HasSubstr("9 processors"));

  request_.spec.resources.cpus.reset();
  request_.root.disks.assign(40, "/layer");
  EXPECT_THAT(refusal(), HasSubstr("40 layers"));
}

TEST_F(PlanMachine, ATemplateIsForAllImagesAndCommandsOfASize) {
  const auto warm = plan_warm_start(request_);

  EXPECT_TRUE(warm.boot.snapshot.empty());
  EXPECT_EQ(warm.snapshot.string(), warm.machine.snapshot);
  EXPECT_EQ(warm.boot.disks.size(), warm.machine.disks.size());
  EXPECT_EQ("", warm.boot.disks[0].path);
  EXPECT_EQ("/layers/two.erofs", warm.machine.disks[1].path);
  for (const auto& disk : warm.machine.disks) EXPECT_TRUE(disk.drive && disk.read_only);

  request_.root.disks = {"/layers/other.erofs"};
  request_.spec.process.args = {"another", "command"};
  EXPECT_EQ(warm.snapshot, plan_warm_start(request_).snapshot);
}

// A kernel that has the drivers as modules finds small layers in its memory.
TEST_F(PlanMachine, ATemplateHasPlaceForAnImageWhereTheKernelKnowsIt) {
  const auto modules = directory_.path() / "modules/lib/modules/6.1";
  const auto drivers = modules / "kernel/drivers/nvdimm";
  base::make_directories(drivers);
  base::write_file(directory_.path() / "version", "6.1\n");
  base::write_file(modules / "modules.builtin", "");
  for (const auto* const module : {"virtio_mmio", "virtio_console", "virtio_blk", "virtio_pmem",
                                   "nd_pmem", "erofs", "overlay", "virtio_balloon"}) {
    base::write_file(drivers / (std::string(module) + ".ko"), "");
  }
  for (auto& disk : request_.root.disks) {
    disk = directory_.path() / disk.filename();
    base::write_file(disk, "layer");
  }

  const auto warm = plan_warm_start(request_);
  EXPECT_TRUE(warm.machine.disks.empty());
  ASSERT_EQ(2U, warm.machine.image.files.size());
  EXPECT_EQ(request_.root.disks[1], warm.machine.image.files[1].path);
  EXPECT_EQ(warm.machine.image.size, warm.boot.image.size);
  EXPECT_TRUE(warm.boot.image.files.empty());

  request_.root.disks.pop_back();
  EXPECT_EQ(warm.snapshot, plan_warm_start(request_).snapshot);
  std::filesystem::resize_file(request_.root.disks[0], base::gibibyte);
  const auto large = plan_warm_start(request_);
  EXPECT_EQ(0U, large.machine.image.size);
  EXPECT_EQ(request_.root.disks[0], large.machine.disks[0].path);
  EXPECT_NE(warm.snapshot, large.snapshot);
}

TEST_F(PlanMachine, AnotherTemplateIsForWhatBootsInAnotherWay) {
  const auto usual = plan_warm_start(request_).snapshot;
  const auto other_with = [&](const auto& change) {
    auto saved = request_.spec;
    change(request_.spec);
    const auto snapshot = plan_warm_start(request_).snapshot;
    request_.spec = std::move(saved);
    return snapshot != usual;
  };

  EXPECT_TRUE(other_with([](auto& spec) { spec.resources.memory_bytes = 100 * base::mebibyte; }));
  EXPECT_TRUE(other_with([](auto& spec) { spec.resources.cpus = 2; }));
  EXPECT_TRUE(other_with([](auto& spec) { spec.vm.kernel_parameters = "mine=1"; }));
  EXPECT_FALSE(other_with([](auto& spec) { spec.hostname = "other"; }));
  base::write_file(directory_.path() / "twinbox-vmm", "another monitor");
  EXPECT_NE(usual, plan_warm_start(request_).snapshot);
  request_.root.disks.resize(5);
  EXPECT_GE(plan_warm_start(request_).boot.disks.size(), 5U);
}

}  // namespace
}  // namespace twinbox::vmm
