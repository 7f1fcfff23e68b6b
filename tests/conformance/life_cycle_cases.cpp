// From create to rm: pause, stop, restart policies, and what may follow what.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {
namespace {

std::vector<Case> run_cases() {
  return {
      {"Life", "CreateStartWaitLogsRemove",
       R"sh(create --name $me busybox sh -c 'echo hello; exit 4' >/dev/null
          inspect '{{.State.Status}}' $me; tb start $me; tb wait $me; tb logs $me; tb rm $me
          status tb inspect $me)sh",
       "created\n@me\n4\nhello\n@me\n1\n"},
      {"Life", "RunDetachedPrintsTheId",
       R"sh(id=$(run -d --name $me busybox true); [ "$id" = "$(inspect '{{.Id}}' $me)" ] && echo same
          echo ${#id})sh",
       "same\n12\n"},
      {"Life",
       "StartAgain",
       R"sh(run --name $me busybox sh -c 'echo x >>/kept; wc -l </kept'
          tb start -a $me; tb start -a $me)sh",
       "1\n2\n3\n",
       {{"vm", "1\n1\n1\n", files_of_a_machine}, {"qemu", "1\n1\n1\n", files_of_a_machine}}},
      {"Life", "StaysWhenItEnded",
       R"sh(status run --name $me busybox sh -c 'exit 3'
          inspect '{{.State.Status}} {{.State.ExitCode}}' $me)sh",
       "3\nexited 3\n"},
      {"Life", "RemovesItselfWhenAsked",
       R"sh(run --rm --name $me busybox true; status tb inspect $me)sh", "1\n"},
      {"Life", "AttachShowsWhatComes",
       R"sh(run -d --name $me busybox sh -c 'until test -e /go; do echo waiting; sleep 0.1; done
            echo gone; exit 6' >/dev/null
          tb attach $me >$dir/out & attached=$!; until_true grep -q waiting $dir/out
          tb exec $me touch /go; wait $attached; echo $?; uniq $dir/out)sh",
       "6\nwaiting\ngone\n"},
      {"Life", "WaitTellsTheStatus",
       R"sh(run -d --name $me busybox sh -c 'until test -e /go; do sleep 0.1; done; exit 5' >/dev/null
          tb wait $me >$dir/out & waiting=$!
          tb exec $me touch /go; wait $waiting; cat $dir/out)sh",
       "5\n"},
      {"Life", "TwoWithOneWait",
       R"sh(run -d --name $me busybox sh -c 'exit 1' >/dev/null
          run -d --name $me-2 busybox sh -c 'exit 2' >/dev/null
          tb wait $me $me-2)sh",
       "1\n2\n"},
      {"Life", "ARunningOneIsNotRemoved", R"sh(status tb rm $plain; tb exec $plain echo alive)sh",
       "1\nalive\n"},
      {"Life", "ARunningOneIsRemovedByForce",
       R"sh(run -d --name $me busybox sleep 1000000 >/dev/null; tb rm -f $me; status tb inspect $me)sh",
       "@me\n1\n"},
      {"Life", "IdFile",
       R"sh(id=$(run -d --name $me --cidfile $dir/id busybox true); [ "$(cat $dir/id)" = $id ] && echo it
          status run --rm --cidfile $dir/id busybox true)sh",
       "it\n125\n"},
  };
}

std::vector<Case> stop_cases() {
  return {
      {"Stop", "AsksFirst",
       R"sh(run -d --name $me busybox sh -c 'trap "echo bye; exit 3" TERM; echo ready;
            while :; do sleep 0.1; done' >/dev/null
          until_logged $me ready; tb stop $me; inspect '{{.State.ExitCode}}' $me; tb logs $me)sh",
       "@me\n3\nready\nbye\n"},
      {"Stop", "KillsAfterItsTime",
       R"sh(run -d --name $me busybox sleep 1000000 >/dev/null; tb stop -t 1 $me
          inspect '{{.State.Status}} {{.State.ExitCode}}' $me)sh",
       "@me\nexited 137\n"},
      {"Stop", "TimeOfTheBox",
       R"sh(run -d --name $me --stop-timeout 0 busybox sleep 1000000 >/dev/null; tb stop $me
          inspect '{{.State.ExitCode}}' $me)sh",
       "@me\n137\n"},
      {"Stop", "SignalOfTheBox",
       R"sh(run -d --name $me --stop-signal USR1 busybox sh -c 'trap "exit 8" USR1; echo ready;
            while :; do sleep 0.1; done' >/dev/null
          until_logged $me ready; tb stop $me; inspect '{{.State.ExitCode}}' $me)sh",
       "@me\n8\n"},
      {"Stop", "AStoppedOneIsLeftAlone",
       R"sh(run --name $me busybox true; tb stop $me; inspect '{{.State.ExitCode}}' $me)sh",
       "@me\n0\n"},
      {"Stop", "RestartStartsItAnew",
       R"sh(run -d --name $me --stop-timeout 0 busybox sh -c 'echo started; exec sleep 1000000' >/dev/null
          until_logged $me started; tb restart $me
          until_true sh -c "[ \$(twinbox logs $me | grep -c started) = 2 ]"
          inspect '{{.State.Status}}' $me)sh",
       "@me\nrunning\n"},
      {"Pause", "Freezes",
       R"sh(run -d --name $me busybox sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done' >/dev/null
          until_logged $me 3; tb pause $me; inspect '{{.State.Status}} {{.State.Paused}}' $me
          sleep 0.3; tb logs $me | tail -n1 >$dir/a; sleep 0.5; tb logs $me | tail -n1 | cmp - $dir/a && echo still
          says paused tb exec $me true
          status tb pause $me
          tb unpause $me; last=$(cat $dir/a); until_logged $me "^$((last + 3))$"
          inspect '{{.State.Status}}' $me)sh",
       "@me\npaused true\nstill\nyes\n1\n@me\nrunning\n"},
      {"Pause", "APausedOneStops",
       R"sh(run -d --name $me busybox sleep 1000000 >/dev/null; tb pause $me >/dev/null
          tb stop -t 0 $me; inspect '{{.State.Status}} {{.State.ExitCode}}' $me)sh",
       "@me\nexited 137\n"},
      {"Pause", "APausedOneIsKilled",
       R"sh(run -d --name $me busybox sleep 1000000 >/dev/null; tb pause $me >/dev/null
          tb kill $me; tb wait $me; inspect '{{.State.Status}} {{.State.OOMKilled}}' $me)sh",
       "@me\n137\nexited false\n"},
      {"Pause", "OnlyAPausedOneIsUnpaused", R"sh(says 'not paused' tb unpause $plain)sh", "yes\n"},
  };
}

std::vector<Case> policy_cases() {
  return {
      {"Restart", "OnFailureSoManyTimes",
       R"sh(run -d --name $me --restart on-failure:2 busybox sh -c 'echo try; exit 7' >/dev/null
          until_state $me exited; tb logs $me
          inspect '{{.RestartCount}} {{.State.ExitCode}}' $me)sh",
       "try\ntry\ntry\n2 7\n"},
      {"Restart", "OnFailureNotOnSuccess",
       R"sh(run -d --name $me --restart on-failure busybox echo once >/dev/null
          until_state $me exited; tb logs $me; inspect '{{.RestartCount}}' $me)sh",
       "once\n0\n"},
      {"Restart", "AlwaysUntilStopped",
       R"sh(run -d --name $me --restart always busybox sh -c 'echo try; sleep 0.2' >/dev/null
          until_true sh -c "[ \$(twinbox logs $me | grep -c try) -ge 2 ]"
          tb stop -t 0 $me; inspect '{{.State.Status}}' $me)sh",
       "@me\nexited\n"},
      {"Restart", "NoByDefault",
       R"sh(run --name $me busybox false; inspect '{{.RestartCount}} {{.HostConfig.RestartPolicy.Name}}' $me)sh",
       "0 no\n"},
      {"Restart", "ExcludesRemoval", R"sh(status run --rm --restart always busybox true)sh",
       "125\n"},
  };
}

}  // namespace

std::vector<Case> life_cycle_cases() {
  auto cases = run_cases();
  for (auto more : {stop_cases(), policy_cases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

}  // namespace twinbox::conformance
