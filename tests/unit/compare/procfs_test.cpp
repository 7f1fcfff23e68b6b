#include "compare/procfs.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace twinbox::compare {
namespace {

constexpr std::uint64_t kib = 1024;

// A monitor on a kernel that keeps the names of anonymous mappings: the program's text, a thread's
// stack, guest memory with the kernel's file mapped into its middle.
constexpr const char* named_smaps =
    R"(55d0c0000000-55d0c0010000 r-xp 00001000 08:01 1234                       /usr/bin/twinbox-vmm
Size:                 64 kB
KernelPageSize:        4 kB
Rss:                  48 kB
Pss:                  24 kB
Shared_Clean:         48 kB
Shared_Dirty:          0 kB
Private_Clean:         0 kB
Private_Dirty:         0 kB
VmFlags: rd ex mr mw me sd
7f0000000000-7f0000800000 rw-p 00000000 00:00 0
Size:               8192 kB
Rss:                  16 kB
Pss:                  16 kB
Private_Clean:         0 kB
Private_Dirty:        16 kB
VmFlags: rd wr mr mw me nr sd
7f1000000000-7f1001000000 rw-p 00000000 00:00 0                          [anon:twinbox-guest-ram]
Size:              16384 kB
Rss:                1000 kB
Pss:                1000 kB
Private_Clean:         0 kB
Private_Dirty:      1000 kB
VmFlags: rd wr mr mw me nr sd
7f1001000000-7f1002000000 rw-p 00000000 08:01 77                         /var/lib/twinbox/kernels/a b/vmlinux (deleted)
Size:              16384 kB
Rss:                2000 kB
Pss:                 900 kB
Shared_Clean:       1600 kB
Private_Clean:       100 kB
Private_Dirty:       300 kB
VmFlags: rd wr mr mw me nr sd
7f1002000000-7f1008000000 rw-p 00000000 00:00 0                          [anon:twinbox-guest-ram]
Size:              98304 kB
Rss:                4000 kB
Pss:                4000 kB
Private_Clean:         0 kB
Private_Dirty:      4000 kB
VmFlags: rd wr mr mw me nr sd
7f2000000000-7f2000001000 rw-p 00000000 00:00 0                          [stack]
Size:                  4 kB
Rss:                   4 kB
Pss:                   4 kB
Private_Dirty:         4 kB
VmFlags: rd wr mr mw me gd ac
)";

// The same without names, as most kernels are built.
std::string unnamed_smaps() {
  std::string text = named_smaps;
  const std::string name = "                          [anon:twinbox-guest-ram]";
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) {
    text.erase(at, name.size());
  }
  return text;
}

TEST(ParseSmaps, ReadsEveryMapping) {
  const auto mappings = parse_smaps(named_smaps);
  ASSERT_EQ(mappings.size(), 6U);
  EXPECT_EQ(mappings[0].name, "/usr/bin/twinbox-vmm");
  EXPECT_EQ(mappings[0].permissions, "r-xp");
  EXPECT_EQ(mappings[0].footprint.rss, 48 * kib);
  EXPECT_EQ(mappings[0].footprint.pss, 24 * kib);
  EXPECT_EQ(mappings[0].footprint.uss, 0U);
  EXPECT_FALSE(mappings[0].no_reserve);
  EXPECT_EQ(mappings[1].name, "");
  EXPECT_TRUE(mappings[1].no_reserve);
  EXPECT_EQ(mappings[3].name, "/var/lib/twinbox/kernels/a b/vmlinux (deleted)");
  EXPECT_EQ(mappings[3].footprint.uss, 400 * kib);
  EXPECT_EQ(mappings[4].start, 0x7f1002000000U);
  EXPECT_EQ(mappings[4].end, 0x7f1008000000U);
}

TEST(ParseSmaps, OfAKernelThreadIsEmpty) { EXPECT_TRUE(parse_smaps("").empty()); }

TEST(ParseSmaps, PassesOverWhatItDoesNotKnow) {
  EXPECT_TRUE(parse_smaps("Rss: 4 kB\nno colon here\n-\n").empty());
}

TEST(GuestRam, HoldsTheNamedMappingsAndTheKernelBetweenThem) {
  const auto guest = total(guest_ram(parse_smaps(named_smaps)));
  EXPECT_EQ(guest.rss, 7000 * kib);
  EXPECT_EQ(guest.pss, 5900 * kib);
  EXPECT_EQ(guest.uss, 5400 * kib);
  EXPECT_EQ(guest.virtual_size, 128 * 1024 * kib);
}

TEST(GuestRam, IsTheLargestUnreservedMappingWhereNamesAreMissing) {
  const auto named = total(guest_ram(parse_smaps(named_smaps)));
  const auto unnamed = total(guest_ram(parse_smaps(unnamed_smaps())));
  EXPECT_EQ(unnamed.rss, named.rss);
  EXPECT_EQ(unnamed.virtual_size, named.virtual_size);
}

// As QEMU 7.2 has it, with a thread's heap, code of the emulator's, and a ROM.
TEST(GuestRam, IsWhatIsKeptFromChildrenWhereAllIsReserved) {
  const auto guest = total(guest_ram(
      parse_smaps("7f8930000000-7f8940000000 rw-p 00000000 00:00 0 \n"
                  "Size: 262144 kB\nRss: 900 kB\nVmFlags: rd wr mr mw me nr\n"
                  "7f894be00000-7f8953e00000 rw-p 00000000 00:00 0 \n"
                  "Size: 131072 kB\nRss: 77824 kB\nVmFlags: rd wr mr mw me dc ac dd hg mg\n"
                  "7f8954000000-7f8993fff000 rwxp 00000000 00:00 0 \n"
                  "Size: 1048572 kB\nRss: 55296 kB\nVmFlags: rd wr ex mr mw me ac hg\n"
                  "7f89a0000000-7f89a0020000 rw-p 00000000 00:00 0 \n"
                  "Size: 128 kB\nRss: 128 kB\nVmFlags: rd wr mr mw me dc ac dd\n")));
  EXPECT_EQ(guest.virtual_size, 128 * 1024 * kib);
  EXPECT_EQ(guest.rss, 77824 * kib);
}

TEST(GuestImage, HoldsTheLayersThatAreMappedForReading) {
  const auto image = total(guest_image(
      parse_smaps("7f1000000000-7f1000200000 r--p 00000000 08:01 12 /layers/1/layer.erofs\n"
                  "Size: 2048 kB\nRss: 600 kB\nPss: 300 kB\nVmFlags: rd mr\n"
                  "7f1000200000-7f1004000000 r--p 00000000 00:00 0 \nSize: 63488 kB\nRss: 0 kB\n"
                  "7f1004000000-7f1004010000 rw-p 00000000 08:01 13 /layers/2/layer.erofs\n"
                  "Size: 64 kB\nRss: 64 kB\n")));
  EXPECT_EQ(image.rss, 600 * kib);
  EXPECT_EQ(image.pss, 300 * kib);
}

TEST(GuestRam, IsNothingInAPlainProgram) {
  EXPECT_EQ(total(guest_ram(parse_smaps("55d0c0000000-55d0c0010000 rw-p 00001000 08:01 12 /bin/x\n"
                                        "Size: 64 kB\nRss: 8 kB\nVmFlags: rd wr\n")))
                .virtual_size,
            0U);
}

TEST(ParseMeminfo, ReadsKilobytesAsBytes) {
  const auto fields = parse_meminfo(
      "MemTotal:       24643592 kB\nMemAvailable:   20000000 kB\nHugePages_Total:       "
      "0\nready\n");
  EXPECT_EQ(fields.at("MemTotal"), 24643592U * kib);
  EXPECT_EQ(fields.at("MemAvailable"), 20000000U * kib);
  EXPECT_FALSE(fields.contains("HugePages_Total"));
}

TEST(ParseParent, IsNotFooledByTheCommandsName) {
  EXPECT_EQ(parse_parent("42 (sh) S 41 42 42 0"), 41);
  EXPECT_EQ(parse_parent("42 (a) S 7 (b)) R 41 42"), 41);
  EXPECT_EQ(parse_parent("garbage"), std::nullopt);
  EXPECT_EQ(parse_parent("42 (sh) S"), std::nullopt);
}

TEST(Descendants, FollowChildrenAndNothingElse) {
  const std::map<pid_t, pid_t> parent_of{{1, 0}, {10, 1}, {11, 10}, {12, 11}, {20, 1}, {5, 11}};
  auto found = descendants(parent_of, 10);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<pid_t>{5, 10, 11, 12}));
}

}  // namespace
}  // namespace twinbox::compare
