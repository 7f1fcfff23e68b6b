// The stock Debian kernel on our monitor: both file formats, few and many vCPUs, little and much
// memory, a disk; and what people hand to it by mistake.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>
#include <regex>

#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

constexpr const char* bzimage = "$TWINBOX_ROOT/kernels/stock/vmlinuz";
constexpr const char* vmlinux = "$TWINBOX_ROOT/cache/kernels/*.elf";

// Makes $work/initrd, a guest that loads the disk driver and runs $1, then powers off; and
// `boot`, which boots it with the given flags. $work goes away at the end.
std::string boot_script(const std::string& guest, const std::string& host) {
  return R"(
work=$(mktemp -d); trap 'rm -rf $work' EXIT; mkdir -p $work/root/bin $work/root/modules
cp /usr/bin/busybox $work/root/bin/; cd $work/root
for module in virtio_ring virtio virtio_mmio virtio_blk virtio-rng; do
  cp $(find $TWINBOX_ROOT/kernels -name $module.ko) modules/
done
cat >init <<'END'
#!/bin/busybox sh
/bin/busybox mkdir /proc /sys /dev
/bin/busybox mount -t proc proc /proc; /bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t sysfs sys /sys
/bin/busybox --install -s /bin; export PATH=/bin
for module in virtio_ring virtio virtio_mmio virtio_blk virtio-rng; do insmod /modules/$module.ko; done
)" + guest +
         R"(
poweroff -f
END
chmod +x init; find . | cpio -o -H newc >$work/initrd 2>/dev/null
boot() { twinbox boot --initrd $work/initrd "$@" </dev/null; echo "boot=$?"; }
)" + host;
}

std::string value_of(const std::string& text, const std::string& name) {
  std::smatch match;
  const bool found = std::regex_search(text, match, std::regex(name + "=([^\\s]*)"));
  return found ? match[1].str() : "";
}

struct Machine {
  const char* name;
  const char* kernel;
  int cpus;
  const char* memory;
  std::uint64_t kibibytes;
};

// Keeps addresses out of the tests' names.
void PrintTo(const Machine& machine, std::ostream* out) { *out << machine.name; }

class StockKernel : public testing::TestWithParam<Machine> {};

TEST_P(StockKernel, SeesItsProcessorsAndMemory) {
  const auto& machine = GetParam();
  const auto result = script_in_lab(
      boot_script("echo nproc=$(nproc) free=$(free -k | awk '/Mem:/ {print $2}')\n"
                  "dmesg | sed -n 's/.*Memory: [0-9]*K.\\([0-9]*\\)K available.*/managed=\\1/p'\n",
                  std::string("boot --kernel ") + machine.kernel + " --cpus " +
                      std::to_string(machine.cpus) + " --memory " + machine.memory));
  EXPECT_EQ(value_of(result.out, "boot"), "0") << result.out << result.err;
  EXPECT_EQ(value_of(result.out, "nproc"), std::to_string(machine.cpus)) << result.out;
  // All of the memory but the legacy hole and the tables.
  const auto managed = std::strtoull(value_of(result.out, "managed").c_str(), nullptr, 10);
  EXPECT_LE(managed, machine.kibibytes);
  EXPECT_GE(managed + 1024, machine.kibibytes) << result.out;
  // What the kernel keeps for itself is missing from free's total.
  const auto free = std::strtoull(value_of(result.out, "free").c_str(), nullptr, 10);
  EXPECT_LE(free, managed);
  EXPECT_GE(free + 64 * 1024 + machine.kibibytes / 20, machine.kibibytes) << result.out;
}

INSTANTIATE_TEST_SUITE_P(Formats, StockKernel,
                         testing::Values(Machine{"SmallBzImage", bzimage, 1, "96m", 96 * 1024},
                                         Machine{"LargeBzImage", bzimage, 4, "5g", 5 * 1024 * 1024},
                                         Machine{"SmallVmlinux", vmlinux, 1, "96m", 96 * 1024},
                                         Machine{"LargeVmlinux", vmlinux, 4, "5g",
                                                 5 * 1024 * 1024}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Disk, WrittenInTheGuestReadsBackOnTheHost) {
  const auto result = script_in_lab(boot_script(
      R"(
echo from the guest | dd of=/dev/vda bs=4096 seek=3 conv=notrunc,fsync 2>/dev/null
echo sectors=$(cat /proc/partitions | awk '$4 == "vda" {print $3 * 2}')
echo other=$(dd if=/dev/vdb bs=16 count=1 2>/dev/null)
dd if=/dev/zero of=/dev/vdb bs=512 count=1 conv=fsync 2>/dev/null && echo readonly=broken
)",
      R"(
truncate -s 8M $work/disk; echo read-me-if-you >$work/fixed; truncate -s 64K $work/fixed
cp $work/fixed $work/copy
boot --kernel $TWINBOX_ROOT/cache/kernels/*.elf --memory 256m --disk $work/disk --disk $work/fixed:ro
echo host=$(dd if=$work/disk bs=4096 skip=3 count=1 2>/dev/null | tr ' \0' '_\n' | head -n 1)
cmp $work/fixed $work/copy && echo unchanged=yes
)"));
  EXPECT_EQ(value_of(result.out, "boot"), "0") << result.out << result.err;
  EXPECT_EQ(value_of(result.out, "host"), "from_the_guest") << result.out << result.err;
  EXPECT_EQ(value_of(result.out, "sectors"), "16384") << result.out;
  EXPECT_EQ(value_of(result.out, "other"), "read-me-if-you") << result.out;
  EXPECT_EQ(value_of(result.out, "readonly"), "") << "a read-only disk took a write";
  EXPECT_EQ(value_of(result.out, "unchanged"), "yes");
}

TEST(Devices, AreWhatTheKernelsDriversTakeThemFor) {
  const auto result = script_in_lab(boot_script(
      R"(
echo rng=$(cat /sys/class/misc/hw_random/rng_current)
echo entropy=$(dd if=/dev/hwrng bs=512 count=8 2>/dev/null | wc -c)
echo serial=$(cat /sys/block/vda/serial) cache=$(cat /sys/block/vda/queue/write_cache | tr ' ' _)
echo writable=$(cat /sys/block/vda/ro) fixed=$(cat /sys/block/vdb/ro)
# Larger than the queue, so that requests have many segments and wait for each other.
dd if=/dev/urandom of=/sample bs=1M count=6 2>/dev/null
dd if=/sample of=/dev/vda bs=1M conv=fsync 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
dd if=/dev/vda bs=1M count=6 2>/dev/null | cmp - /sample && echo sample=same
# A driver that leaves and comes back resets the device.
cd /sys/bus/virtio/drivers/virtio_blk; echo virtio1 >unbind; echo virtio1 >bind
echo again=$(dd if=/dev/vdb bs=16 count=1 2>/dev/null)
echo port=$(dmesg | sed -n 's/.*ttyS0 at.* a \(.*\)/\1/p')
)",
      R"(
truncate -s 8M $work/disk; echo read-me-if-you >$work/fixed; truncate -s 64K $work/fixed
boot --kernel $TWINBOX_ROOT/cache/kernels/*.elf --memory 256m --disk $work/disk --disk $work/fixed:ro
)"));
  EXPECT_EQ(value_of(result.out, "boot"), "0") << result.out << result.err;
  EXPECT_EQ(value_of(result.out, "rng"), "virtio_rng.0") << result.out;
  EXPECT_EQ(value_of(result.out, "entropy"), "4096");
  EXPECT_EQ(value_of(result.out, "serial"), "disk");
  EXPECT_EQ(value_of(result.out, "cache"), "write_back");
  EXPECT_EQ(value_of(result.out, "writable"), "0");
  EXPECT_EQ(value_of(result.out, "fixed"), "1");
  EXPECT_EQ(value_of(result.out, "sample"), "same") << result.out;
  EXPECT_EQ(value_of(result.out, "again"), "read-me-if-you");
  EXPECT_EQ(value_of(result.out, "port"), "16550A");
}

// Boots that must fail before the guest runs, with a message about the thing that is wrong.
struct BadInput {
  const char* name;
  const char* prepare;
  const char* flags;
  const char* says;
};

void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

class BadBoot : public testing::TestWithParam<BadInput> {};

TEST_P(BadBoot, SaysWhatIsWrong) {
  const auto& input = GetParam();
  const auto result =
      script_in_lab(std::string("work=$(mktemp -d); trap 'rm -rf $work' EXIT\n") + input.prepare +
                    "\ntwinbox boot " + input.flags + " </dev/null");
  EXPECT_EQ(result.status, 125) << result.out;
  EXPECT_NE(result.err.find(input.says), std::string::npos) << result.err;
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, BadBoot,
    testing::Values(
        BadInput{"MissingKernel", "", "--kernel /nowhere/vmlinuz", "/nowhere/vmlinuz"},
        BadInput{"TruncatedBzImage",
                 "head -c 5000000 $TWINBOX_ROOT/kernels/stock/vmlinuz >$work/short",
                 "--kernel $work/short", "/short"},
        BadInput{"TruncatedVmlinux",
                 "cat $TWINBOX_ROOT/cache/kernels/*.elf | head -c 5000000 >$work/short",
                 "--kernel $work/short", "/short"},
        BadInput{"TextFile", "echo 'this is a text file' >$work/text", "--kernel $work/text",
                 "/text"},
        BadInput{"InitrdLargerThanMemory", "truncate -s 200M $work/initrd",
                 "--kernel $TWINBOX_ROOT/kernels/stock/vmlinuz --initrd $work/initrd --memory 128m",
                 "/initrd"},
        BadInput{"OneMebibyte", "", "--kernel $TWINBOX_ROOT/kernels/stock/vmlinuz --memory 1m",
                 "memory"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(BadHost, WhereKvmIsMissingItsPathIsNamed) {
  const auto result = script_in_lab(
      "mv /dev/kvm /dev/kvm.gone; twinbox boot --kernel $TWINBOX_ROOT/kernels/stock/vmlinuz "
      "</dev/null; status=$?; mv /dev/kvm.gone /dev/kvm; exit $status");
  EXPECT_EQ(result.status, 125) << result.out;
  EXPECT_NE(result.err.find("/dev/kvm"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace twinbox::test
