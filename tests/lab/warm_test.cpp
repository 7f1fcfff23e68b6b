// Machines that go on from a template, in place of a boot of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

using testing::HasSubstr;

// Each test has templates of its own: their number and state are what it is about.
RunResult with_own_templates(const std::string& script) {
  return script_in_lab(R"(
templates=${TWINBOX_RUN:-/run/twinbox}/templates; twinbox snapshot prune >/dev/null; rm -rf $templates/*
count() { ls $templates | grep -c "$1\$"; }
warm() { twinbox run --rm --as vm "$@"; }
)" + script);
}

TEST(WarmStart, OneTemplateServesEveryCommandOfASize) {
  const auto result = with_own_templates(R"(
warm --cold busybox echo cold; ls $templates 2>/dev/null
warm busybox echo first; warm --hostname other --read-only busybox hostname
warm -u 1:1 -e A=b busybox sh -c 'id -u; echo $A; exit 7'; echo $?
count snapshot; ls $templates | grep -c part
warm --memory 200m busybox sh -c 'exit 0'; count snapshot
twinbox snapshot prune >/dev/null; ls $templates
)");
  EXPECT_EQ("cold\nfirst\nother\n1\nb\n7\n1\n0\n2\n", result.out) << result.err;
  EXPECT_EQ("", result.err);
}

// By one of the first, however short: a workload that has ended may take its monitor with it before
// it is noted.
TEST(WarmStart, WhatAStartWritesIsNoted) {
  const auto result = with_own_templates(R"(
for start in 1 2 3 4 5; do [ $(count written) = 1 ] || warm busybox true; done
count written; twinbox snapshot prune >/dev/null; ls $templates
)");
  EXPECT_EQ("1\n", result.out) << result.err;
}

TEST(WarmStart, CopiesHaveTimeAndRandomNumbersOfTheirOwn) {
  const auto result = with_own_templates(R"(
for copy in 1 2 3; do
  warm busybox sh -c 'head -c 16 /dev/urandom | od -An -tx1; cat /proc/sys/kernel/random/uuid
                      cat /proc/sys/kernel/random/boot_id; date +%s' && date +%s
done
)");
  const auto lines = lines_of(result.out);
  ASSERT_EQ(15U, lines.size()) << result.out << result.err;
  std::set<std::string> random;
  for (std::size_t copy = 0; copy < 3; ++copy) {
    for (std::size_t line = 0; line < 3; ++line) random.insert(lines[5 * copy + line]);
    const auto inside = std::stoll(lines[5 * copy + 3]);
    const auto outside = std::stoll(lines[5 * copy + 4]);
    EXPECT_LE(inside, outside);
    EXPECT_LE(outside - inside, 10);
  }
  EXPECT_EQ(9U, random.size()) << result.out;
}

TEST(WarmStart, InspectTellsWhereTheMemoryIs) {
  const auto result = with_own_templates(R"(
memory() { twinbox inspect --format "{{.MachineMemory.$2}}" $1; }
for box in one two; do
  twinbox run -d --as vm --name $box busybox sleep 1000000 >/dev/null || exit 1
done
memory two SharedImage; memory two SharedTemplate; memory two SharedKernel; memory two Private; memory two Monitor
twinbox run -d --as vm --cold --name three busybox sleep 1000000 >/dev/null; memory three SharedTemplate
twinbox rm -f one two three >/dev/null
)");
  std::istringstream lines(result.out);
  std::uint64_t of_image = 0;
  std::uint64_t of_template = 0;
  std::uint64_t kernel = 0;
  std::uint64_t own = 0;
  std::uint64_t monitor = 0;
  std::uint64_t cold = 1;
  ASSERT_TRUE(lines >> of_image >> of_template >> kernel >> own >> monitor >> cold)
      << result.out << result.err;
  constexpr std::uint64_t mebibyte = 1U << 20;
  EXPECT_GT(of_image, mebibyte / 8);
  EXPECT_GT(of_template, 2 * mebibyte);
  EXPECT_EQ(0U, kernel);
  EXPECT_GT(own, mebibyte);
  EXPECT_LT(own, 12 * mebibyte);
  EXPECT_LE(monitor, 2 * mebibyte);
  EXPECT_EQ(0U, cold);
}

TEST(WarmStart, AnImageIsReadWhereItsFilesAre) {
  const auto result = with_own_templates(R"(
work=$(mktemp -d); cp -a $TWINBOX_ROOT/layers/*/root $work/
{ head -c 68000000 /dev/zero; head -c 3000000 /dev/urandom; } >$work/root/large
twinbox image import large $work/root >/dev/null
tail -c 3000000 $work/root/large | md5sum
for memory in 96m 128m; do
  twinbox run -d --as vm --memory $memory --name large large sleep 1000000 >/dev/null
  twinbox exec large sh -c 'tail -c 3000000 /large | md5sum'
  [ $(twinbox inspect --format '{{.MachineMemory.SharedImage}}' large) -gt 3000000 ] && echo mapped
  twinbox rm -f large >/dev/null
done
twinbox image rm large >/dev/null; rm -r $work
)");
  const auto lines = lines_of(result.out);
  // The smaller machine would need too large a part of its memory for the pages' descriptions.
  ASSERT_EQ(4U, lines.size()) << result.out << result.err;
  EXPECT_EQ(lines[0], lines[1]);
  EXPECT_EQ(lines[0], lines[2]);
  EXPECT_EQ("mapped", lines[3]);
}

TEST(WarmStart, ALayerThatIsMadeShorterUnderAMachineIsNamed) {
  const auto result = with_own_templates(R"(
work=$(mktemp -d); cp -a $TWINBOX_ROOT/layers/*/root $work/; echo other >$work/root/other
head -c 5000000 /dev/urandom >$work/root/file
twinbox image import other $work/root >/dev/null
twinbox run -d --as vm --name other other sleep 1000000 >/dev/null
layer=$(grep -o '/[^ ]*erofs' /proc/$(pidof twinbox-vmm)/maps); truncate -s 4096 $layer; twinbox exec other cat /file >/dev/null 2>&1; echo $?
twinbox wait other >/dev/null; twinbox inspect --format '{{.State.Error}}' other
twinbox rm other >/dev/null; twinbox image rm other >/dev/null; rm -r $work
)");
  EXPECT_THAT(result.out, testing::StartsWith("125\n")) << result.err;
  EXPECT_THAT(result.out, HasSubstr(".erofs was made shorter while the guest used it"));
}

TEST(WarmStart, AnImageIsInHugePagesUntilItIsRemoved) {
  const auto result = with_own_templates(R"(
work=$(mktemp -d); cp -a $TWINBOX_ROOT/layers/*/root $work/
head -c 5000000 /dev/urandom >$work/root/file
twinbox image import other $work/root >/dev/null
for name in one two; do
  twinbox run -d --as vm --name $name other sleep 1000000 >/dev/null
  twinbox exec $name md5sum /file | cut -c 1-32
  twinbox inspect --format '{{.MachineMemory.SharedImage}}' $name
done
md5sum <$work/root/file | cut -c 1-32
# What the guests have mapped of the image, and by how much of it at a time.
cat $(for pid in $(pidof twinbox-vmm); do echo /proc/$pid/smaps; done) | awk '
  /^[0-9a-f]*-[0-9a-f]* / { image = $NF ~ /[.]erofs$/; if (image) files[$NF] }
  image && $1 == "Rss:" { mapped += $2 }
  image && $1 ~ /^(Shmem|File)PmdMapped:/ { huge += $2 }
  END { for (file in files) count++; print count, mapped - huge, (huge >= 2 * 6144) }'
count erofs; twinbox rm -f one two >/dev/null; count erofs
twinbox image rm other; count erofs; rm -r $work
)");
  const auto lines = lines_of(result.out);
  ASSERT_EQ(9U, lines.size()) << result.out << result.err;
  EXPECT_EQ(lines[0], lines[2]);
  EXPECT_EQ(lines[0], lines[4]);
  // Three pages of 2 MiB hold the file, and one more what is before it.
  EXPECT_GE(std::stoull(lines[1]), 6U << 20);
  EXPECT_LE(std::stoull(lines[1]), 8U << 20);
  EXPECT_EQ("1 0 1", lines[5]) << "files, KiB in small pages, in huge ones";
  EXPECT_EQ("1", lines[6]);
  EXPECT_EQ("1", lines[7]);
  EXPECT_EQ("0", lines[8]);
}

// A second layer on busybox's, put into the store as a registry's client would.
constexpr const char* two_layers = R"(
work=$(mktemp -d); images=$TWINBOX_ROOT/images; blobs=$images/blobs/sha256; json=application/vnd.oci.image
store() { sum=$(sha256sum <$1 | cut -c 1-64); cp $1 $blobs/$sum; size=$(stat -c %s $1); }
mkdir -p $work/layer/bin; head -c 3000000 /dev/urandom >$work/layer/second; touch $work/layer/bin/.wh.arch
tar -C $work/layer -cf $work/tar .; store $work/tar
layer="{\"digest\":\"sha256:$sum\",\"mediaType\":\"$json.layer.v1.tar\",\"size\":$size}"
below=$(grep -o 'sha256:[0-9a-f]*' $images/index.json | head -n 1 | cut -c 8-)
config=$(grep -o '"config":{"digest":"sha256:[0-9a-f]*' $blobs/$below | cut -c 28-)
sed "s/\"diff_ids\":\[[^]]*/&,\"sha256:$sum\"/" $blobs/$config >$work/config; store $work/config
sed "s/$config/$sum/; s/\(config.v1+json\",\"size\":\)[0-9]*/\1$size/; s|\"layers\":\[[^]]*|&,$layer|" \
  $blobs/$below >$work/manifest; store $work/manifest
entry="{\"annotations\":{\"org.opencontainers.image.ref.name\":\"two\"},\"digest\":\"sha256:$sum\""
entry="$entry,\"mediaType\":\"$json.manifest.v1+json\",\"size\":$size}"
sed -i "s|\"manifests\": \[|&$entry,|" $images/index.json
)";

TEST(WarmStart, TwoLayersAreOneRoot) {
  const auto result = with_own_templates(std::string(two_layers) + R"(
md5sum <$work/layer/second
twinbox run -d --as vm --name two two sleep 1000000 >/dev/null
twinbox exec two sh -c 'md5sum </second; ls /bin/arch; ls /bin/sh; echo other >/second; cat /second'
grep -c '[.]erofs$' /proc/$(pidof twinbox-vmm)/maps; count erofs
twinbox rm -f two >/dev/null; twinbox image rm two; twinbox run --rm busybox ls /bin/arch; rm -r $work
)");
  const auto lines = lines_of(result.out);
  ASSERT_EQ(7U, lines.size()) << result.out << result.err;
  EXPECT_EQ(lines[0], lines[1]);
  EXPECT_EQ("/bin/sh", lines[2]);
  EXPECT_EQ("other", lines[3]);
  EXPECT_EQ("2", lines[4]) << "layers in the guest's memory";
  EXPECT_EQ("2", lines[5]) << "of them in huge pages";
  EXPECT_EQ("/bin/arch", lines[6]);
  EXPECT_THAT(result.err, HasSubstr("/bin/arch"));
}

TEST(WarmStart, AllProcessorsGoOn) {
  const auto result = with_own_templates(R"(
for copy in 1 2; do
  warm --cpus 4 busybox sh -c 'nproc; for cpu in 1 2 4 8; do taskset $cpu sh -c "i=0
    while [ \$i -lt 1000 ]; do i=\$((i+1)); done; echo -n \$i." & done; wait; sleep 0.2; echo'
done
)");
  EXPECT_EQ("4\n1000.1000.1000.1000.\n4\n1000.1000.1000.1000.\n", result.out) << result.err;
}

TEST(WarmStart, ADamagedTemplateIsDroppedAndTheMachineBoots) {
  const auto result = with_own_templates(R"(
warm busybox true
file=$(ls $templates/*.snapshot); size=$(stat -c %s $file)
printf '\377\377\377\377' | dd of=$file bs=1 seek=$((size - 1000)) conv=notrunc 2>/dev/null
warm busybox echo booted; count snapshot
warm busybox echo made again; count snapshot
)");
  EXPECT_EQ("booted\n0\nmade again\n1\n", result.out) << result.err;
}

TEST(WarmStart, SeveralAtOnceMakeOneTemplate) {
  const auto result = with_own_templates(R"(
for i in 1 2 3 4; do warm --memory 96m busybox echo ran & done; wait
count snapshot; ls $templates | grep -c part
)");
  EXPECT_EQ("ran\nran\nran\nran\n1\n0\n", result.out) << result.err;
}

TEST(WarmStart, AMakerThatIsKilledLeavesNoHalfTemplate) {
  const auto result = with_own_templates(R"(
for moment in 0.3 0.9 1.5; do
  twinbox run -d --as vm --name killed busybox sleep 1000 >/dev/null 2>&1 &
  sleep $moment; kill -9 $(pidof twinbox-vmm) 2>/dev/null; wait
  twinbox rm -f killed >/dev/null
done
pidof twinbox-vmm
warm busybox echo made; count snapshot; ls $templates | grep -c part
)");
  EXPECT_EQ("made\n1\n0\n", result.out) << result.err;
}

}  // namespace
}  // namespace twinbox::test
