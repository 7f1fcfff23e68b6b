// Limits that bite, and what becomes of processes that nobody waits for.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {

std::vector<Case> limit_cases() {
  return {
      {"Limits", "MemoryBites",
       R"sh(status tb exec $limited dd if=/dev/zero of=/dev/null bs=400M count=1)sh", "137\n"},
      {"Limits", "MemoryLeavesTheRestAlone", R"sh(tb exec $limited echo alive)sh", "alive\n"},
      {"Limits", "LittleMemoryIsRefused", R"sh(status run --rm --memory 1m busybox true)sh",
       "125\n"},
      {"Limits", "ProcessesBite",
       R"sh(tb exec $crowded sh -c 'for i in $(seq 40); do sleep 3 & done' 2>&1 |
            grep -c -m1 "can't fork")sh",
       "1\n"},
      {"Limits", "ProcessorsBite",
       // Work of a second or more takes at least about twice that: other load only adds to it.
       R"sh(tb exec $limited sh -c '
            up() { read -r up rest </proc/uptime; echo ${up%.*}${up#*.}; }
            begin=$(up); i=0; while [ $(($(up) - begin)) -lt 300 ]; do i=$((i + 1)); done
            wall=$(($(up) - begin))
            set -- $(cut -d" " -f14-17 /proc/$$/stat); used=$(($1 + $2 + $3 + $4))
            [ $((used * 100 / wall)) -le 70 ] && echo half || echo "$used of $wall"')sh",
       "half\n"},
      {"Limits",
       "SetOfProcessors",
       R"sh(run --rm --cpuset-cpus 0 busybox grep Cpus_allowed_list /proc/self/status 2>/dev/null; echo $?)sh",
       "Cpus_allowed_list:\t0\n0\n",
       {{"vm", "125\n", its_own_processors}, {"qemu", "125\n", its_own_processors}}},
      {"Limits", "OpenFiles", R"sh(tb exec $limited sh -c 'ulimit -Sn; ulimit -Hn')sh",
       "64\n128\n"},
      {"Limits", "OpenFilesOfProcessOne",
       R"sh(tb exec $limited sh -c 'grep "Max open files" /proc/1/limits | tr -s " " | cut -d" " -f4,5')sh",
       "64 128\n"},
      {"Limits", "CoreFiles", R"sh(tb exec $limited sh -c 'ulimit -c')sh", "0\n"},
      {"Limits", "SharedMemory", R"sh(tb exec $limited sh -c 'df -k /dev/shm | tail -n1 |
            tr -s " " | cut -d" " -f2')sh",
       "8192\n"},
      {"Limits", "SharedMemoryByDefault", R"sh(tb exec $plain sh -c 'df -k /dev/shm | tail -n1 |
            tr -s " " | cut -d" " -f2')sh",
       "65536\n"},
      {"Limits", "UnknownUlimitsAreRefused",
       R"sh(status run --rm --ulimit nosuch=1 busybox true)sh", "125\n"},
      {"Memory", "ExhaustedIsReported",
       R"sh(run --name $me --memory 192m busybox dd if=/dev/zero of=/dev/null bs=400M count=1 \
            2>/dev/null; echo $?
          inspect '{{.State.ExitCode}} {{.State.OOMKilled}}' $me)sh",
       "137\n137 true\n"},
      {"Memory", "OtherEndsAreNotCalledExhausted",
       R"sh(run --name $me busybox sh -c 'kill -9 $$; exit 3' 2>/dev/null
          inspect '{{.State.OOMKilled}}' $me)sh",
       "false\n"},
      {"Orphans", "GetProcessOneAsParent",
       R"sh(tb exec $reaper sh -c 'sh -c "sleep 77 & exit"; true' </dev/null >/dev/null 2>&1
          until_true tb exec $reaper sh -c 'ps -o ppid,args | grep -q "^ *1 sleep 7[7]"' && echo one)sh",
       "one\n"},
      {"Orphans", "OutliveTheExec",
       R"sh(tb exec $plain sh -c 'sleep 78 >/dev/null 2>&1 &'
          tb exec $plain sh -c 'ps -o args | grep -c "^sleep 7[8]"')sh",
       "1\n"},
      {"Zombies", "AreReapedByInit",
       R"sh(tb exec $reaper sh -c 'for i in 1 2 3 4 5; do sh -c "true & exec true"; done'
          until_true tb exec $reaper sh -c '! grep -q "^State:.Z" /proc/[0-9]*/status 2>/dev/null' &&
            echo none)sh",
       "none\n"},
      {"Zombies", "ProcessOneIsInit",
       R"sh(tb exec $reaper ps -o pid,ppid,args | grep " sleep 1000000$" | grep -v init)sh",
       "    2     1 sleep 1000000\n"},
  };  // namespace twinbox::conformance
}

}  // namespace twinbox::conformance
