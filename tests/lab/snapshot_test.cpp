// Boxes that are saved while they run, and others that go on from there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

// Nothing is left over of one that failed, or of another test.
RunResult with_snapshots(const std::string& script) {
  return script_in_lab(R"sh(
snapshots=$TWINBOX_ROOT/snapshots
clean() {
  for box in $(twinbox ps -aq --filter label=snapshot-test); do twinbox rm -f $box; done >/dev/null
  for name in $(twinbox snapshot ls -q); do twinbox snapshot rm $name; done >/dev/null
}
trap clean EXIT; clean
box() { name=$1; shift; twinbox run -d --as vm -l snapshot-test --name $name "$@" >/dev/null; }
copy() { twinbox run -l snapshot-test --from "$@"; }
lines() { twinbox logs $1 | wc -l; }
wait_for_line() { for i in $(seq 600); do twinbox logs $1 | grep -q "$2" && return; sleep 0.1; done; echo "no $2 of $1"; }
)sh" + script);
}

// Each number comes with a sum over all numbers so far, which the workload keeps in its memory; the
// number is in a file too.
TEST(Snapshot, AComputationGoesOnInTwoCopiesAndInTheOriginal) {
  const auto result = with_snapshots(R"sh(
box one busybox sh -c '
  n=0; sum=0; echo 0 >/last
  while [ $n -lt 250 ]; do
    n=$((n+1)); sum=$(((sum*31+n)%1000003)); read last </last
    [ $last = $((n-1)) ] || echo "the file says $last at $n"
    echo $n >/last; echo "$n $sum"; usleep 5000
  done; exit 7'
wait_for_line one '^20 '
twinbox snapshot create one snap | grep -c '^[0-9a-f]\{12\}$'
copy snap -d --name two >/dev/null; copy snap --name three >/tmp/three; echo "three $?"
twinbox wait one two
for name in one two; do twinbox logs $name >/tmp/$name; done
for name in one two three; do
  awk -v name=$name '
    BEGIN { for (n = 1; n <= 250; ++n) { sum = (sum * 31 + n) % 1000003; sums[n] = sum } }
    NR == 1 { print name, ($1 == 1 ? "from the beginning" : $1 > 20 ? "from the middle" : $0) }
    NR > 1 && $1 != last + 1 { print "gap at " $0 }
    $2 != sums[$1] { print "wrong: " $0 }
    { last = $1 }
    END { print name, "to", last }' /tmp/$name
done
)sh");
  EXPECT_EQ(
      "1\nthree 7\n7\n7\none from the beginning\none to 250\ntwo from the middle\ntwo to 250\n"
      "three from the middle\nthree to 250\n",
      result.out)
      << result.err;
}

TEST(Snapshot, CopiesHaveAnIdentityOfTheirOwn) {
  const auto result = with_snapshots(R"sh(
box one busybox sh -c 'until [ -e /tmp/go ]; do sleep 0.05; done
  hostname; head -c 16 /dev/urandom | od -An -tx1 | tr -d " \n"; echo; cat /proc/sys/kernel/random/uuid; date +%s; sleep 1000000'
twinbox exec one hostname >/dev/null
twinbox snapshot create one snap >/dev/null; sleep 3
two=$(copy snap -d --name two); copy snap -d --name three --hostname other >/dev/null
for name in one two three; do
  twinbox exec $name touch /tmp/go; wait_for_line $name '^[0-9]\{10\}$'; date +%s
  twinbox logs $name
done
echo $two | cut -c 1-12; twinbox exec two sh -c 'hostname; echo $HOSTNAME'
twinbox exec three hostname; twinbox inspect -f '{{.Id}}' one
)sh");
  const auto lines = lines_of(result.out);
  ASSERT_EQ(20U, lines.size()) << result.out << result.err;
  std::set<std::string> random;
  for (std::size_t box = 0; box < 3; ++box) {
    const auto outside = std::stoll(lines[5 * box]);
    const auto inside = std::stoll(lines[5 * box + 4]);
    EXPECT_LE(inside, outside);
    EXPECT_LE(outside - inside, 10);
    random.insert({lines[5 * box + 2], lines[5 * box + 3]});
  }
  EXPECT_EQ(6U, random.size()) << result.out;
  EXPECT_EQ(lines[19], lines[1]);
  EXPECT_EQ(lines[15], lines[6]);
  EXPECT_EQ("other", lines[11]);
  EXPECT_EQ(lines[15], lines[16]);
  EXPECT_EQ(lines[15], lines[17]);
  EXPECT_EQ("other", lines[18]);
  EXPECT_NE(lines[19], lines[15]);
}

// The host takes the output slowly, so much of it waits in the guest when that is saved.
TEST(Snapshot, OutputThatWaitsIsTheOriginals) {
  const auto result = with_snapshots(R"sh(
box one busybox sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo "line $i"; done'
wait_for_line one 'line 100$'
for i in 1 2 3; do twinbox snapshot create one snap$i >/dev/null || echo failed; done
copy snap2 --rm >/tmp/two; echo $?
twinbox wait one; twinbox logs one >/tmp/one
awk '$0 != "line " NR { print "at " NR ": " $0; exit } END { print NR }' /tmp/one
awk 'NR == 2 { first = $2 } NR > 2 && $2 != first + NR - 2 { print "at " NR ": " $0; exit }
     END { print (first > 100), $0 }' /tmp/two
)sh");
  EXPECT_EQ("0\n0\n30000\n1 line 30000\n", result.out) << result.err;
}

TEST(Snapshot, ACopyIsABoxLikeAnyOther) {
  const auto result = with_snapshots(R"sh(
box one --cpus 2 --memory 100m busybox sh -c 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.05; done'
wait_for_line one up
twinbox exec -d one sleep 54321; twinbox exec one sh -c 'echo kept >/file'
twinbox snapshot create one snap >/dev/null
copy snap -d --name two --restart no >/dev/null
twinbox exec two sh -c 'cat /file; nproc; ps | grep -c "[5]4321"'; twinbox exec one sh -c 'ps | grep -c "[5]4321"'
twinbox diff two | grep file; twinbox ps --filter name=two --format '{{.Image}} {{.Engine}} {{.State}}'
twinbox inspect -f '{{.Snapshot}} {{.State.Status}}' two
twinbox pause two; twinbox unpause two
twinbox snapshot create two again >/dev/null && copy again -d --name three >/dev/null && twinbox exec three cat /file
twinbox stop two; twinbox wait two; twinbox logs two
twinbox start two; twinbox exec two cat /file; twinbox stop two >/dev/null; twinbox logs two
twinbox snapshot rm snap; echo $?; twinbox image rm busybox; echo $?
)sh");
  EXPECT_EQ(
      "kept\n2\n0\n1\nA /file\nbusybox vm running\nsnap running\ntwo\ntwo\nkept\ntwo\n3\nbye\n"
      "two\nkept\nbye\nbye\n1\n125\n",
      result.out)
      << result.err;
  EXPECT_THAT(result.err, HasSubstr("box two is using the snapshot 'snap'"));
  EXPECT_THAT(result.err, HasSubstr("is using the image 'busybox'"));
}

TEST(Snapshot, InputGoesOnInTheCopy) {
  const auto result = with_snapshots(R"sh(
box one -i busybox sh -c 'while read line; do echo "got $line"; done; echo end'
twinbox snapshot create one snap >/dev/null
printf 'a\nb\n' | copy snap -i; printf 'c\n' | copy snap -i; copy snap
)sh");
  EXPECT_EQ("got a\ngot b\nend\ngot c\nend\nend\n", result.out) << result.err;
}

TEST(Snapshot, ListsAndInspects) {
  const auto result = with_snapshots(R"sh(
box one --memory 100m busybox sleep 1000000
twinbox snapshot create one snap >/tmp/id
twinbox snapshot ls | sed 's/[0-9a-f]\{12\}/ID/; s/ago  .*/ago/' | tr -s ' '
twinbox snapshot ls --format '{{.Name}} {{.CPUs}} {{.Box}}'
[ "$(twinbox snapshot inspect -f '{{.Id}}' snap)" = "$(cat /tmp/id)" ] && echo same
twinbox snapshot inspect -f '{{.Memory}} {{.Box.Config.Cmd}}' snap
twinbox snapshot rm snap nothing; echo $?; twinbox snapshot ls -q; ls $TWINBOX_ROOT/work
)sh");
  EXPECT_THAT(
      result.out,
      MatchesRegex(
          "NAME SNAPSHOT ID BOX IMAGE MEMORY CREATED SIZE\nsnap ID one busybox 105MB [^\n]* "
          "ago\nsnap 1 one\nsame\n104857600 \\[sleep 1000000\\]\nsnap\n1\n"))
      << result.err;
  EXPECT_THAT(result.err, HasSubstr("no such snapshot: nothing"));
}

TEST(Snapshot, RefusesWhatCannotBeSavedOrGoneOnFrom) {
  const auto result = with_snapshots("damage=" SNAPSHOT_DAMAGE R"sh(
refused() { "$@" 2>/tmp/refused; echo "$? $(head -n 1 /tmp/refused)"; }
box one --memory 100m busybox sleep 1000000
twinbox run -d -l snapshot-test --name jar busybox sleep 1000000 >/dev/null
twinbox snapshot create one snap >/dev/null
refused twinbox snapshot create jar other
refused twinbox snapshot create one snap
refused twinbox snapshot create missing other
twinbox pause one >/dev/null
refused twinbox snapshot create one other; twinbox unpause one >/dev/null
refused copy missing
refused copy snap --memory 1g
refused copy snap --as container
refused copy snap busybox
cp -r $snapshots/snap /tmp/snap.whole
for how in truncated flipped endless version kernel processor; do
  cp /tmp/snap.whole/machine.snapshot $snapshots/snap/; rm -f $snapshots/snap/*.checked
  $damage $snapshots/snap/machine.snapshot $how || echo "not $how"
  refused copy snap -d --rm
done
rm $snapshots/snap/machine.snapshot; mkfifo $snapshots/snap/machine.snapshot
refused copy snap -d --rm; rm $snapshots/snap/*
cp /tmp/snap.whole/* $snapshots/snap/; rm -rf /tmp/snap.whole
copy snap -d --name two >/dev/null; twinbox ps -q --filter name=two | wc -l; ls $snapshots; ls -A $TWINBOX_ROOT/work
)sh");
  const auto lines = lines_of(result.out);
  ASSERT_EQ(17U, lines.size()) << result.out << result.err;
  EXPECT_THAT(lines[0], HasSubstr("1 twinbox: only a machine of our own monitor"));
  EXPECT_THAT(lines[1], HasSubstr("there is a snapshot 'snap' already"));
  EXPECT_THAT(lines[2], HasSubstr("no such box: missing"));
  EXPECT_THAT(lines[3], HasSubstr("cannot take a snapshot of box one: it is paused"));
  EXPECT_THAT(lines[4], HasSubstr("125 twinbox: no such snapshot: missing"));
  EXPECT_THAT(lines[5], HasSubstr("--memory"));
  EXPECT_THAT(lines[6], HasSubstr("--as container"));
  EXPECT_THAT(lines[7], HasSubstr("'busybox'"));
  EXPECT_THAT(lines[8], HasSubstr("125 twinbox: the snapshot"));
  EXPECT_THAT(lines[8], HasSubstr("is damaged"));
  EXPECT_THAT(lines[9], HasSubstr("the checksum of its memory"));
  EXPECT_THAT(lines[10], HasSubstr("bytes of state"));
  EXPECT_THAT(lines[11], HasSubstr("written in format"));
  EXPECT_THAT(lines[12], HasSubstr("taken under Linux 9"));
  EXPECT_THAT(lines[13], HasSubstr("processor"));
  EXPECT_THAT(lines[14], HasSubstr("it is not a file"));
  EXPECT_EQ("1", lines[15]);
  EXPECT_EQ("snap", lines[16]);
}

// Of the command, of the box's supervisor and of its monitor, at different times.
TEST(Snapshot, SigkillLeavesTheOldOrNothing) {
  const auto result = with_snapshots(R"sh(
killed() {  # WHAT AFTER
  box one --memory 100m busybox sleep 1000000
  twinbox snapshot create one snap >/dev/null 2>&1 & command=$!
  sleep $2
  case $1 in
    command) kill -9 $command ;;
    supervisor) kill -9 $(sed 's/.*"supervisor":\([0-9]*\).*/\1/' $TWINBOX_ROOT/boxes/*/box.json) ;;
    monitor) kill -9 $(pidof twinbox-vmm) ;;
  esac 2>/dev/null
  wait $command 2>/dev/null
  left=$(twinbox snapshot ls -q)
  if [ "$left" = snap ]; then
    copy snap -d --name two >/dev/null || echo "$1 $2: not whole"
    twinbox rm -f two >/dev/null; twinbox snapshot rm snap >/dev/null
  elif [ -n "$left" ]; then
    echo "$1 $2: $left"
  fi
  twinbox rm -f one >/dev/null; twinbox ps -aq
  [ -z "$(ls -A $TWINBOX_ROOT/work)" ] || echo "$1 $2: $(ls -RA $TWINBOX_ROOT/work)"
}
for what in command supervisor monitor; do
  for after in 0.05 0.2 0.5 1; do killed $what $after; done
done
pidof twinbox-vmm; echo done
)sh");
  EXPECT_EQ("done\n", result.out) << result.err;
}

TEST(Snapshot, AFullDiskLeavesNothingAndTheBoxGoesOn) {
  const auto result = with_snapshots(R"sh(
box one --memory 100m busybox sh -c 'while :; do echo on; sleep 0.05; done'
mkdir -p $TWINBOX_ROOT/work; mount -t tmpfs -o size=4m small $TWINBOX_ROOT/work
twinbox snapshot create one snap 2>&1 | head -n 1; ls -A $TWINBOX_ROOT/work
umount $TWINBOX_ROOT/work; twinbox snapshot ls -q
before=$(lines one); sleep 1; [ $(lines one) -gt $before ] && echo goes on
)sh");
  EXPECT_THAT(result.out, MatchesRegex("twinbox: [^\n]*No space left on device[^\n]*\ngoes on\n"))
      << result.err;
}

}  // namespace
}  // namespace twinbox::test
