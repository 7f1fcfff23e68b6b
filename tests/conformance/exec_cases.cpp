// Further processes in a running box.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {

std::vector<Case> exec_cases() {
  return {
      {"Exec", "ByIdPrefix", R"sh(tb exec $(inspect '{{.Id}}' $plain | cut -c1-10) echo found)sh",
       "found\n"},
      {"Exec", "SeesTheBoxsFiles",
       R"sh(tb exec $plain sh -c 'echo text >/tmp/shared'; tb exec $plain cat /tmp/shared)sh",
       "text\n"},
      {"Exec", "SharesNamespacesWithProcessOne",
       R"sh(tb exec $plain sh -c 'for n in mnt pid uts ipc; do
            [ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] && echo $n; done')sh",
       "mnt\npid\nuts\nipc\n"},
      {"Exec", "ManyAtOnce",
       R"sh(for i in 1 2 3 4 5 6 7 8; do tb exec $plain echo $i >$dir/$i & done; wait
          cat $dir/? | sort | tr '\n' ' ')sh",
       "1 2 3 4 5 6 7 8 "},
      {"Exec", "ManyInTurn",
       R"sh(for i in $(seq 20); do tb exec $plain true || echo failed; done; echo done)sh",
       "done\n"},
      {"Exec", "Detached",
       R"sh(tb exec -d $plain sh -c 'echo made >/tmp/by-detached'
          until_true tb exec $plain test -s /tmp/by-detached; tb exec $plain cat /tmp/by-detached)sh",
       "made\n"},
      {"Exec", "DetachedPrintsNothing", R"sh(tb exec -d $plain echo hidden)sh", ""},
      {"Exec", "DoesNotLog",
       R"sh(tb exec $printer echo unlogged >/dev/null; tb logs $printer | grep -c unlogged)sh",
       "0\n"},
      {"Exec", "GetsPrivilegesWhenAsked",
       R"sh([ "$(tb exec --privileged $plain grep CapEff /proc/self/status)" = "$(all_capabilities)" ]
          echo $?)sh",
       "0\n"},
      {"Exec", "ArgumentsAreKept",
       R"sh(tb exec $plain printf '<%s>' '' 'a b' '*' '$HOME' --memory -e)sh",
       "<><a b><*><$HOME><--memory><-e>"},
      {"Exec", "NeedsACommand", R"sh(says 'what to run' tb exec $plain; status tb exec $plain)sh",
       "yes\n125\n"},
      {"Exec", "NeedsABox", R"sh(says 'no-such-box' tb exec no-such-box true)sh", "yes\n"},
      {"Exec", "NeedsARunningBox",
       R"sh(create --name $me busybox true >/dev/null; says 'it is created' tb exec $me true)sh",
       "yes\n"},
      {"Exec", "EndsWithItsBox",
       R"sh(run -d --name $me busybox sleep 1000000 >/dev/null
          tb exec $me sh -c 'echo ready; exec sleep 1000' >$dir/out & inside=$!
          until_true grep -q ready $dir/out; tb rm -f $me >/dev/null; wait $inside; echo $?)sh",
       "137\n"},
      {"Exec", "PassesASignalOn",
       R"sh(twinbox exec $plain sh -c 'trap "echo caught; exit 9" TERM; echo ready;
            while :; do sleep 0.1; done' >$dir/out & inside=$!
          until_true grep -q ready $dir/out; kill -TERM $inside
          wait $inside; echo $?; cat $dir/out)sh",
       "9\nready\ncaught\n"},
  };  // namespace twinbox::conformance
}

}  // namespace twinbox::conformance
