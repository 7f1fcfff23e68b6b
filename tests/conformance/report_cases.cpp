// What is told of boxes: logs, inspect, ps, names, labels, events, top, stats.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {
namespace {

std::vector<Case> log_cases() {
  return {
      {"Logs", "Output", R"sh(tb logs $printer 2>/dev/null)sh", "first\nsecond\nlast\n"},
      {"Logs", "Errors", R"sh(tb logs $printer 2>&1 >/dev/null)sh", "problem\n"},
      {"Logs", "Tail", R"sh(tb logs --tail 1 $printer 2>&1 | wc -l | tr -d ' ')sh", "1\n"},
      {"Logs", "TailOfNothing", R"sh(tb logs --tail 0 $printer 2>&1)sh", ""},
      {"Logs", "Timestamps",
       R"sh(tb logs --timestamps $printer 2>/dev/null | grep -c -E '^20[0-9-]*T[0-9:.]*Z (first|second|last)$')sh",
       "3\n"},
      {"Logs", "SinceLater", R"sh(tb logs --since 2100-01-01T00:00:00Z $printer 2>&1)sh", ""},
      {"Logs", "SinceBefore", R"sh(tb logs --since 2000-01-01T00:00:00Z $printer 2>/dev/null)sh",
       "first\nsecond\nlast\n"},
      {"Logs", "FollowToTheEnd",
       R"sh(run -d --name $me busybox sh -c 'echo a; until test -e /go; do sleep 0.1; done; echo b' >/dev/null
          tb logs -f $me >$dir/out & following=$!
          until_true grep -q a $dir/out; tb exec $me touch /go; wait $following; cat $dir/out)sh",
       "a\nb\n"},
      {"Logs", "HundredThousandLines",
       R"sh(run --name $me busybox seq 100000 >/dev/null; tb logs $me >$dir/lines
          seq 100000 | cmp - $dir/lines && echo same)sh",
       "same\n"},
      {"Logs", "NeedABox", R"sh(says no-such-box tb logs no-such-box)sh", "yes\n"},
  };
}

std::vector<Case> inspect_cases() {
  return {
      {"Inspect", "Name", R"sh([ "$(inspect '{{.Name}}' $plain)" = /$plain ] && echo it)sh",
       "it\n"},
      {"Inspect", "State",
       R"sh(inspect '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}' $plain)sh",
       "running true 0\n"},
      {"Inspect", "Image", R"sh(inspect '{{.Config.Image}}' $plain)sh", "busybox\n"},
      {"Inspect", "Command", R"sh(inspect '{{json .Config.Cmd}}' $plain)sh",
       "[\"sleep\",\"1000000\"]\n"},
      {"Inspect", "User",
       R"sh(inspect '{{.Config.User}} {{.Config.WorkingDir}} {{.Config.Hostname}}' $closed)sh",
       "daemon:tty /tmp inside\n"},
      {"Inspect", "Memory",
       R"sh(inspect '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}' $limited)sh",
       "201326592 64\n"},
      {"Inspect", "Processors", R"sh(inspect '{{.HostConfig.NanoCpus}}' $limited)sh",
       "500000000\n"},
      {"Inspect", "ReadOnly", R"sh(inspect '{{.HostConfig.ReadonlyRootfs}}' $closed $plain)sh",
       "true\nfalse\n"},
      {"Inspect", "ProcessOfARunningBox",
       R"sh([ "$(inspect '{{.State.Pid}}' $plain)" -gt 1 ] && echo some)sh", "some\n"},
      {"Inspect", "IsJson", R"sh(tb inspect $plain | head -n1; tb inspect $plain | tail -n1)sh",
       "[\n]\n"},
      {"Inspect", "NeedsABox", R"sh(status tb inspect no-such-box)sh", "1\n"},
      {"Labels", "OfABox", R"sh(inspect '{{index .Config.Labels "color"}}' $printer)sh", "blue\n"},
      {"Labels", "FindABox", R"sh([ "$(tb ps -q --no-trunc --filter label=color=blue)" = \
            "$(inspect '{{.Id}}' $printer)" ] && echo it)sh",
       "it\n"},
      {"Labels", "OfNoBoxFindNone", R"sh(tb ps -q --filter label=color=red)sh", ""},
      {"Ps", "ListsARunningBox",
       R"sh(tb ps --filter name=$plain --format '{{.Image}} {{.Command}}')sh",
       "busybox \"sleep 1000000\"\n"},
      {"Ps", "Columns",
       R"sh(tb ps | head -n1 | tr -s ' ' | grep -c '^[A-Z]* \?ID IMAGE COMMAND CREATED STATUS')sh",
       "1\n"},
      {"Ps", "HidesStoppedOnes",
       R"sh(run --name $me busybox true; tb ps -q --filter name=$me; tb ps -a --filter name=$me \
            --format '{{.Names}} {{.State}}')sh",
       "@me exited\n"},
      {"Ps", "TellsTheStatus",
       R"sh(run --name $me busybox sh -c 'exit 3'; tb ps -a --filter name=$me --format '{{.Status}}' |
            grep -c '^Exited (3) .* ago$')sh",
       "1\n"},
  };
}

std::vector<Case> name_cases() {
  return {
      {"Names", "AreTakenOnce", R"sh(says 'already in use' create --name $plain busybox true)sh",
       "yes\n"},
      {"Names", "AreMadeUp",
       R"sh(id=$(create busybox true); inspect '{{.Name}}' $id | grep -c -E '^/[a-z]+_[a-z]+'
          tb rm $id >/dev/null)sh",
       "1\n"},
      {"Names", "OfAWrongKindAreRefused", R"sh(status create --name 'a b' busybox true)sh",
       "125\n"},
      {"Names", "CanBeChanged",
       R"sh(create --name $me busybox true >/dev/null; tb rename $me $me-2; status tb inspect $me
          inspect '{{.Name}}' $me-2 | grep -c -- '-2$')sh",
       "1\n1\n"},
      {"Names", "AreFreeAfterRemoval",
       R"sh(create --name $me busybox true >/dev/null; tb rm $me >/dev/null
          create --name $me busybox true >/dev/null && echo again)sh",
       "again\n"},
      {"Events", "TellTheLifeCycle",
       R"sh(run --name $me busybox true; tb rm $me >/dev/null
          tb events --since 1h --until 0s --filter container=$me --format '{{.Action}}' |
            grep -E '^(create|start|die|destroy)$')sh",
       "create\nstart\ndie\ndestroy\n"},
      {"Events", "TellOfPauses",
       R"sh(run -d --name $me busybox sleep 1000000 >/dev/null; tb pause $me >/dev/null
          tb unpause $me >/dev/null; tb kill $me >/dev/null; tb wait $me >/dev/null
          tb events --since 1h --until 0s --filter container=$me --format '{{.Action}}' |
            grep -E '^(pause|unpause|kill|die)$')sh",
       "pause\nunpause\nkill\ndie\n"},
      {"Top", "ListsProcesses",
       R"sh(tb top $plain | grep -c 'sleep 100000[0]'; tb top $plain | head -n1 | grep -c -w PID)sh",
       "1\n1\n"},
      {"Stats", "OfOneMoment",
       R"sh(tb stats --no-stream --format '{{.PIDs}} {{.MemPerc}}' $plain | grep -c -E '^[1-9][0-9]* [0-9.]+%$')sh",
       "1\n"},
      {"Stats", "LimitOfMemory",
       R"sh(tb stats --no-stream --format '{{.MemUsage}}' $limited | sed 's|.* / ||')sh",
       "192MiB\n"},
  };
}

}  // namespace

std::vector<Case> report_cases() {
  auto cases = log_cases();
  for (auto more : {inspect_cases(), name_cases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

}  // namespace twinbox::conformance
