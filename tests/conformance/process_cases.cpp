// How a workload begins and ends: statuses, signals, users, variables, its directory.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {
namespace {

std::vector<Case> status_cases() {
  return {
      {"Status", "OfRun", R"sh(status run --rm busybox sh -c 'exit 7')sh", "7\n"},
      {"Status", "OfRunKilled", R"sh(status run --rm --init busybox sh -c 'kill -9 $$')sh",
       "137\n"},
      {"Status", "OfRunWithoutTheProgram", R"sh(status run --rm busybox no-such-program)sh",
       "127\n"},
      {"Status", "OfRunWithoutAProgram", R"sh(status run --rm busybox /etc/passwd)sh", "126\n"},
      {"Status", "OfRunWithoutTheImage", R"sh(status run --rm no-such-image)sh", "125\n"},
      {"Status", "OfRunWithAWrongFlag", R"sh(status run --no-such-flag busybox true)sh", "125\n"},
      {"Status", "NamesTheProgramThatIsMissing",
       R"sh(says no-such-program tb exec $plain no-such-program)sh", "yes\n"},
      {"Status", "Success", R"sh(status tb exec $plain true)sh", "0\n"},
      {"Status", "Failure", R"sh(status tb exec $plain false)sh", "1\n"},
      {"Status", "Largest", R"sh(status tb exec $plain sh -c 'exit 255')sh", "255\n"},
      {"Status", "NotFound", R"sh(status tb exec $plain no-such-program)sh", "127\n"},
      {"Status", "NotFoundByPath", R"sh(status tb exec $plain /no/such/program)sh", "127\n"},
      {"Status", "NotExecutable", R"sh(status tb exec $plain /etc/passwd)sh", "126\n"},
      {"Status", "ADirectory", R"sh(status tb exec $plain /etc)sh", "126\n"},
      {"Status", "Killed", R"sh(status tb exec $plain sh -c 'kill -9 $$')sh", "137\n"},
      {"Status", "Terminated", R"sh(status tb exec $plain sh -c 'kill -TERM $$')sh", "143\n"},
      {"Status", "Aborted", R"sh(status tb exec $plain sh -c 'kill -ABRT $$')sh", "134\n"},
      {"Status", "Segmentation", R"sh(status tb exec $plain sh -c 'kill -SEGV $$')sh", "139\n"},
  };
}

std::vector<Case> signal_cases() {
  return {
      {"Signals", "ByName",
       R"sh(tb kill -s USR1 $trapper >/dev/null; until_logged $trapper USR1)sh", ""},
      {"Signals", "ByLongName",
       R"sh(tb kill --signal=SIGUSR2 $trapper >/dev/null; until_logged $trapper USR2)sh", ""},
      {"Signals", "ByNumber", R"sh(tb kill -s 1 $trapper >/dev/null; until_logged $trapper HUP)sh",
       ""},
      {"Signals", "KillTellsTheName",
       R"sh([ "$(tb kill -s WINCH $trapper)" = $trapper ] && echo it)sh", "it\n"},
      {"Signals", "UnknownOnesAreRefused", R"sh(status tb kill -s NONE $trapper)sh", "125\n"},
      {"Signals", "KillKills",
       R"sh(run -d --name $me busybox sleep 1000000 >/dev/null; tb kill $me >/dev/null; tb wait $me)sh",
       "137\n"},
      {"Signals", "ProcessOneIgnoresWhatItDoesNotHandle",
       R"sh(tb kill -s TERM $plain >/dev/null; tb exec $plain echo alive)sh", "alive\n"},
      {"Signals", "RunPassesThemOn",
       R"sh(twinbox run --as $ENGINE --name $me busybox sh -c 'trap "echo caught; exit 9" TERM; echo ready;
            while :; do sleep 0.1; done' & command=$!
          until_logged $me ready; kill -TERM $command; wait $command; echo $?)sh",
       "ready\ncaught\n9\n"},
      {"Signals", "NoneIsBlocked", R"sh(tb exec $plain grep SigBlk /proc/self/status)sh",
       "SigBlk:\t0000000000000000\n"},
      {"Signals", "NoneIsIgnored", R"sh(tb exec $plain grep SigIgn /proc/self/status)sh",
       "SigIgn:\t0000000000000000\n"},
      {"Signals", "NoneIsBlockedInProcessOne",
       R"sh(tb exec $plain grep -E 'Sig(Blk|Ign)' /proc/1/status)sh",
       "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"},
  };
}

std::vector<Case> user_cases() {
  return {
      {"Users", "RootByDefault", R"sh(tb exec $plain sh -c 'id -un; id -gn')sh", "root\nroot\n"},
      {"Users", "OfTheBox", R"sh(tb exec $closed sh -c 'id -u; id -g')sh", "1\n5\n"},
      {"Users", "OfProcessOne", R"sh(tb exec $closed grep -E '^(Uid|Gid)' /proc/1/status)sh",
       "Uid:\t1\t1\t1\t1\nGid:\t5\t5\t5\t5\n"},
      {"Users", "FurtherGroups", R"sh(tb exec $closed id -G | tr ' ' '\n' | sort -n)sh",
       "5\n20\n65534\n"},
      {"Users", "ByName", R"sh(tb exec -u daemon $plain sh -c 'id -u; id -g')sh", "1\n1\n"},
      {"Users", "ByNameAndGroup", R"sh(tb exec -u daemon:tty $plain sh -c 'id -u; id -g')sh",
       "1\n5\n"},
      {"Users", "ByNumbers", R"sh(tb exec -u 12345:678 $plain sh -c 'id -u; id -g')sh",
       "12345\n678\n"},
      {"Users", "ByANumberOfNobody",
       R"sh(tb exec -u 12345 $plain sh -c 'id -u; id -g; echo $HOME')sh", "12345\n0\n/\n"},
      {"Users", "HaveTheirHome", R"sh(tb exec -u nobody $plain sh -c 'echo $HOME')sh", "/home\n"},
      {"Users", "UnknownOnesAreRefused", R"sh(says nosuch tb exec -u nosuch $plain true)sh",
       "yes\n"},
      {"Users", "UnknownOnesAreRefusedByRun", R"sh(status run --rm -u nosuch busybox true)sh",
       "125\n"},
      {"Users", "OwnWhatTheyMake",
       R"sh(tb exec -u 77:88 $plain sh -c 'f=/tmp/$$; touch $f; stat -c "%u %g %a" $f; rm $f')sh",
       "77 88 644\n"},
      {"Users", "MayNotWriteElsewhere", R"sh(status tb exec -u nobody $plain touch /etc/file)sh",
       "1\n"},
      {"Users", "HaveAUsualMask", R"sh(tb exec $plain sh -c umask)sh", "0022\n"},
  };
}

std::vector<Case> environment_cases() {
  return {
      {"Environment", "OfTheBox", R"sh(tb exec $closed sh -c 'echo "$GREETING"')sh",
       "hello world\n"},
      {"Environment", "EmptyValue", R"sh(tb exec $closed sh -c 'echo "${EMPTY-unset}."')sh", ".\n"},
      {"Environment", "OfExec", R"sh(tb exec -e COLOR=red $plain sh -c 'echo $COLOR')sh", "red\n"},
      {"Environment", "OfExecComesFirst",
       R"sh(tb exec -e GREETING=hi $closed sh -c 'echo $GREETING')sh", "hi\n"},
      {"Environment", "OfTheCaller",
       R"sh(export COLOR=green; tb exec -e COLOR $plain sh -c 'echo $COLOR')sh", "green\n"},
      {"Environment", "NothingElseOfTheCaller",
       R"sh(export COLOR=green; tb exec $plain sh -c 'echo ${COLOR-unset}')sh", "unset\n"},
      {"Environment", "OfAFile",
       R"sh(printf '# a comment\nA=1\n\nB=two words\n' >$dir/env
          tb exec --env-file $dir/env $plain sh -c 'echo $A $B')sh",
       "1 two words\n"},
      {"Environment", "ValuesOfAnyLook",
       R"sh(tb exec -e 'A=x=y "$z"  *' $plain sh -c 'printf "%s\n" "$A"')sh", "x=y \"$z\"  *\n"},
      {"Environment", "SeveralLines",
       R"sh(tb exec -e 'A=one
two' $plain sh -c 'printf "%s\n" "$A"')sh",
       "one\ntwo\n"},
      {"Environment", "Path", R"sh(tb exec $plain sh -c 'echo $PATH')sh",
       "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"},
      {"Environment", "Home", R"sh(tb exec $plain sh -c 'echo $HOME')sh", "/root\n"},
      {"Environment", "HostnameIsTold", R"sh(tb exec $closed sh -c 'echo $HOSTNAME')sh",
       "inside\n"},
      {"Environment", "ThousandVariablesOfRun",
       R"sh(for i in $(seq 1000); do echo V$i=value$i; done >$dir/env
          run --rm --env-file $dir/env busybox env | grep -c '^V[0-9]*=value')sh",
       "1000\n"},
      {"Environment", "ThousandVariablesOfExec",
       R"sh(for i in $(seq 1000); do set -- "$@" -e V$i=value$i; done
          tb exec "$@" $plain env | grep -c '^V[0-9]*=value')sh",
       "1000\n"},
      {"Directory", "RootByDefault", R"sh(tb exec $plain pwd)sh", "/\n"},
      {"Directory", "OfTheBox", R"sh(tb exec $closed pwd)sh", "/tmp\n"},
      {"Directory", "OfExec", R"sh(tb exec -w /etc $plain pwd)sh", "/etc\n"},
      {"Directory", "OfExecMustBeThere",
       R"sh(tb exec -w /not/there $plain pwd 2>$dir/err; echo $?; grep -c /not/there $dir/err
          tb exec $plain test -e /not; echo $?)sh",
       "127\n1\n1\n"},
      {"Directory", "MustBeAbsolute", R"sh(status run --rm -w etc busybox pwd)sh", "125\n"},
      {"Directory", "IsMadeByRun", R"sh(run --rm -w /made/for/it busybox pwd)sh", "/made/for/it\n"},
      {"Directory", "EntrypointComesBeforeTheCommand",
       R"sh(run --rm --entrypoint echo busybox one two)sh", "one two\n"},
  };
}

}  // namespace

std::vector<Case> process_cases() {
  auto cases = status_cases();
  for (auto more : {signal_cases(), user_cases(), environment_cases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

}  // namespace twinbox::conformance
