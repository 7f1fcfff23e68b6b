// Machines that were started ahead and wait for a box.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

using testing::HasSubstr;

// Whether a box has taken a machine is seen by its process: it is there before the box.
RunResult with_standby(const std::string& script) {
  return script_in_lab(R"sh(
twinbox standby stop --all >/dev/null
standby=${TWINBOX_RUN:-/run/twinbox}/standby
waiting() { twinbox standby ls --format '{{.Ready}}'; }
wait_for() { for try in $(seq 300); do [ "$(waiting)" = "$1" ] && return; sleep 0.1; done; echo "never $1"; }
machines() { pidof twinbox-vmm | tr ' ' '\n' | sort -n; }
warm() { twinbox run --rm --as vm "$@"; }
)sh" + script + R"sh(
twinbox standby stop --all >/dev/null; sleep 0.2; machines; ls "$standby"
)sh");
}

TEST(Standby, ABoxTakesAMachineAndAnotherIsMade) {
  const auto result = with_standby(R"(
twinbox standby start busybox >/dev/null; waiting; before=$(machines)
twinbox run -d --as vm --name taken busybox sleep 1000000 >/dev/null
[ $(twinbox inspect --format '{{.State.Pid}}' taken) = $before ] && echo taken
wait_for 1/1; machines | wc -l
twinbox exec taken echo inside; twinbox pause taken; twinbox unpause taken
twinbox rm -f taken >/dev/null; machines | wc -l
)");
  EXPECT_EQ("1/1\ntaken\n2\ninside\ntaken\ntaken\n1\n", result.out) << result.err;
  EXPECT_EQ("", result.err);
}

TEST(Standby, TheWorkloadIsAsAnyOther) {
  const auto script = R"(
run() { warm $1 --hostname other -u 5:6 -w /tmp -e A=b --ulimit nofile=33 busybox sh -c '
  hostname; id -u; pwd; echo $A $HOME $$; ulimit -n; cat; echo >&2 err
  cut -d " " -f 2-4 /proc/self/mounts; grep -E "Cap|Seccomp|NoNew" /proc/self/status; ls /proc/self/fd | wc -l
  cut -d " " -f 19 /proc/self/stat; ls / /dev; exit 7' <<IN
typed
IN
echo $?; }
)";
  const auto expected =
      script_in_lab(std::string("warm() { twinbox run -i --rm --as vm \"$@\"; }") + script +
                    "run --standby=false 2>&1");
  const auto result =
      with_standby(std::string("warm() { twinbox run -i --rm --as vm \"$@\"; }") + script +
                   "twinbox standby start busybox >/dev/null; run '' 2>&1");
  EXPECT_THAT(result.out, HasSubstr("other\n5\n/tmp\nb"));
  EXPECT_THAT(result.out, HasSubstr("typed\nerr\n"));
  EXPECT_EQ(expected.out, result.out) << result.err;
}

// What cannot be made ahead, and what the filter of a box that was would forbid.
TEST(Standby, OtherBoxesAreMadeInTheMachineToo) {
  const auto result = with_standby(R"(
twinbox standby start busybox >/dev/null
check() {
  wait_for 1/1; before=$(machines); twinbox run -d --as vm --name other "$@" >/dev/null || return
  [ $(twinbox inspect --format '{{.State.Pid}}' other) = $before ] && echo taken
}
check --read-only busybox sh -c 'touch /a 2>&1; sleep 1000000'; sleep 0.2; twinbox logs other; twinbox rm -f other >/dev/null
check --tmpfs /t busybox sleep 1000000; twinbox exec other sh -c 'grep -c " /t " /proc/mounts'; twinbox rm -f other >/dev/null
check -t busybox sh -c 'tty; sleep 1000000'; sleep 0.2; twinbox logs other | tr -d '\r'; twinbox rm -f other >/dev/null
check --privileged busybox sleep 1000000; twinbox exec --privileged other sh -c 'mount -t tmpfs t /home && echo mounted'; twinbox rm -f other >/dev/null
check --security-opt seccomp=unconfined busybox sleep 1000000; twinbox exec other grep Seccomp: /proc/1/status; twinbox rm -f other >/dev/null
)");
  EXPECT_EQ(
      "taken\ntouch: /a: Read-only file system\ntaken\n1\ntaken\n/dev/pts/0\ntaken\nmounted\n"
      "taken\nSeccomp:\t0\n",
      result.out)
      << result.err;
}

TEST(Standby, MachinesHaveTimeAndRandomNumbersOfTheirOwn) {
  const auto result = with_standby(R"(
twinbox standby start -n 2 busybox >/dev/null; sleep 3
for copy in 1 2; do
  warm busybox sh -c 'head -c 16 /dev/urandom | od -An -tx1; cat /proc/sys/kernel/random/uuid
                      date +%s' && date +%s
done
)");
  const auto lines = lines_of(result.out);
  ASSERT_EQ(8U, lines.size()) << result.out << result.err;
  std::set<std::string> random;
  for (std::size_t copy = 0; copy < 2; ++copy) {
    random.insert(lines[4 * copy]);
    random.insert(lines[4 * copy + 1]);
    const auto late = std::stoll(lines[4 * copy + 3]) - std::stoll(lines[4 * copy + 2]);
    EXPECT_GE(late, 0);
    EXPECT_LE(late, 2);
  }
  EXPECT_EQ(4U, random.size()) << result.out;
}

TEST(Standby, IsForItsImageSizeAndKernelAlone) {
  const auto result = with_standby(R"(
twinbox standby start --memory 100m busybox >/dev/null
warm busybox true; warm --memory 101m busybox true; warm --memory 100m --cpus 2 busybox true
warm --memory 100m --standby=false busybox true; warm --memory 100m --cold busybox true
waiting; before=$(machines); twinbox run -d --as vm --memory 100m --name fits busybox sleep 1000000 >/dev/null
[ $(twinbox inspect --format '{{.State.Pid}}' fits) = $before ] && echo taken; twinbox rm -f fits >/dev/null
twinbox standby start --memory 100m busybox; echo $?
)");
  EXPECT_EQ("1/1\ntaken\n125\n", result.out) << result.err;
  EXPECT_THAT(result.err, HasSubstr("machines wait for 'busybox' already"));
  EXPECT_THAT(result.err, HasSubstr("hint: stop them first: twinbox standby stop "));
}

TEST(Standby, MoreBoxesThanMachinesStart) {
  const auto result = with_standby(R"(
twinbox standby start -n 2 busybox >/dev/null
for box in 1 2 3 4 5; do warm busybox echo $box >$standby.$box & done; wait; cat $standby.[1-5]; rm $standby.[1-5]
wait_for 2/2
)");
  EXPECT_EQ("1\n2\n3\n4\n5\n", result.out) << result.err;
  EXPECT_EQ("", result.err);
}

TEST(Standby, ATakenMachineOutlivesItsKeeperAndNotItsBox) {
  const auto result = with_standby(R"(
twinbox standby start busybox >/dev/null
twinbox run -d --as vm --name one busybox sleep 1000000 >/dev/null; wait_for 1/1
twinbox run -d --as vm --name two busybox sleep 1000000 >/dev/null; wait_for 1/1
keeper=$(twinbox standby ls --format '{{.Keeper}}'); kill -9 $keeper
for try in $(seq 100); do [ $(machines | wc -l) = 2 ] && break; sleep 0.1; done; machines | wc -l
twinbox exec one echo goes on; twinbox standby ls -q
kill -9 $(grep -o '"supervisor":[0-9]*' $TWINBOX_ROOT/boxes/$(twinbox ps -q -f name=two)*/box.json | grep -o '[0-9]*$')
for try in $(seq 100); do [ $(machines | wc -l) = 1 ] && break; sleep 0.1; done; machines | wc -l
twinbox ps -a -f name=two --format '{{.Status}}' | cut -d ' ' -f 1-2
twinbox standby start busybox >/dev/null; twinbox standby stop busybox >/dev/null; twinbox exec one echo still
twinbox rm -f one two >/dev/null; machines | wc -l
)");
  EXPECT_EQ("2\ngoes on\n1\nExited (137)\nstill\n0\n", result.out) << result.err;
}

TEST(Standby, AMachineThatDiesIsReplacedAndTold) {
  const auto result = with_standby(R"(
twinbox standby start busybox >/dev/null; kill -9 $(machines)
warm busybox echo runs; wait_for 1/1; grep -c 'ended with status 137' $standby/*/keeper.log
)");
  EXPECT_EQ("runs\n1\n", result.out) << result.err;
}

TEST(Standby, ABoxOnItCanBeSaved) {
  const auto result = with_standby(R"(
twinbox standby start busybox >/dev/null
twinbox run -d --as vm --name saved busybox sh -c 'echo kept >/file; sleep 1000000' >/dev/null
sleep 0.3; twinbox snapshot create saved point >/dev/null; twinbox rm -f saved >/dev/null
twinbox standby stop --all >/dev/null; twinbox snapshot prune >/dev/null  # nor its layers' copies
twinbox run -d --from point --name copy >/dev/null; twinbox exec copy cat /file; twinbox rm -f copy >/dev/null
twinbox snapshot rm point >/dev/null
)");
  EXPECT_EQ("kept\n", result.out) << result.err;
}

TEST(Standby, TheImageIsInUse) {
  const auto result = with_standby(R"(
work=$(mktemp -d); cp -a $(ls -d $TWINBOX_ROOT/layers/*/root | head -1) $work/; echo mine >$work/root/mine
twinbox image import mine $work/root >/dev/null; rm -r $work
twinbox standby start mine >/dev/null; twinbox image rm mine || echo in use
twinbox standby stop mine >/dev/null; twinbox image rm mine >/dev/null; echo $?
)");
  EXPECT_EQ("in use\n0\n", result.out) << result.err;
}

TEST(Standby, StopIsByImageOrOneId) {
  const auto result = with_standby(R"(
id=$(twinbox standby start busybox); other=$(twinbox standby start --memory 99m busybox)
twinbox standby stop "" 2>/dev/null; echo $?; twinbox standby ls -q | wc -l
[ $(twinbox standby stop $id) = $id ] && [ $(twinbox standby ls -q) = $other ] && echo stopped
twinbox standby start busybox >/dev/null; twinbox standby stop busybox | wc -l; twinbox standby ls -q
)");
  EXPECT_EQ("1\n2\nstopped\n2\n", result.out) << result.err;
}

// Its queue takes the connections of 65 boxes that nobody answers.
TEST(Standby, AStoppedKeeperHoldsNobodyUp) {
  const auto result = with_standby(R"(
twinbox standby start busybox >/dev/null; keeper=$(twinbox standby ls --format '{{.Keeper}}')
kill -STOP $keeper; for box in $(seq 70); do twinbox run --rm --as vm busybox true & done; wait
warm busybox echo runs; kill -CONT $keeper; wait_for 1/1
)");
  EXPECT_EQ("runs\n", result.out) << result.err;
}

TEST(Standby, AnInterruptedStartLeavesAKeeperThatCanBeStopped) {
  const auto result = with_standby(R"(
twinbox snapshot prune >/dev/null
twinbox standby start busybox >/dev/null & sleep 0.1; kill -9 $!; wait_for 1/1
warm busybox echo runs; twinbox standby stop busybox | wc -l
)");
  EXPECT_EQ("runs\n1\n", result.out) << result.err;
}

TEST(Standby, ADamagedTemplateIsMadeAnew) {
  const auto result = with_standby(R"(
twinbox standby start busybox >/dev/null; twinbox standby stop busybox >/dev/null
for template in ${TWINBOX_RUN:-/run/twinbox}/templates/*.snapshot; do truncate -s 3000000 $template; done
twinbox standby start busybox >/dev/null; waiting; grep -c 'made anew.*is damaged' $standby/*/keeper.log
)");
  EXPECT_EQ("1/1\n1\n", result.out) << result.err;
}

TEST(Standby, AKernelThatIsGoneForAWhileIsNoEnd) {
  const auto result = with_standby(R"(
kernel=$(ls -d $TWINBOX_ROOT/kernels/stock); twinbox standby start --kernel stock busybox >/dev/null
mv $kernel $kernel.away; wait_for 0/1; mv $kernel.away $kernel; wait_for 1/1; echo again
)");
  EXPECT_EQ("again\n", result.out) << result.err;
}

TEST(Standby, SaysWhyThereAreNone) {
  const auto result = with_standby(R"(
twinbox standby start nosuch; echo $?; twinbox standby start --memory 3m busybox; echo $?
twinbox standby start --count 0 busybox; echo $?; twinbox standby stop nosuch; echo $?
twinbox standby start --kernel /nosuch busybox; echo $?; twinbox standby stop; echo $?
)");
  EXPECT_EQ("125\n125\n125\n1\n125\n125\n", result.out) << result.err;
}

}  // namespace
}  // namespace twinbox::test
