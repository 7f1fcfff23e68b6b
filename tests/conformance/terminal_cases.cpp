// Terminals: on_terminal gives the command one, types what "send" says and waits for what "expect"
// says.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {

std::vector<Case> terminal_cases() {
  return {
      {"Terminal", "StreamsAreOne",
       R"sh(on_terminal 24 80 twinbox exec -it $plain sh -c 'test -t 0 && test -t 1 && test -t 2 &&
            echo all' <<STEPS
expect all
STEPS
echo $?)sh",
       "0\n"},
      {"Terminal", "HasAName",
       R"sh(on_terminal 24 80 twinbox exec -it $plain sh -c 'tty; ls -l $(tty) | cut -c1' <<STEPS
expect /dev/pts/
expect c
STEPS
echo $?)sh",
       "0\n"},
      {"Terminal", "NoneUnlessAsked", R"sh(status tb exec $plain test -t 1)sh", "1\n"},
      {"Terminal", "HasTheCallersSize",
       R"sh(on_terminal 31 77 twinbox exec -it $plain stty size <<STEPS
expect 31 77
STEPS
echo $?)sh",
       "0\n"},
      {"Terminal", "Resizes",
       R"sh(on_terminal 24 80 twinbox exec -it $plain sh <<STEPS
send stty size; echo rea''dy\r
expect 24 80
expect ready
resize 50 132
send while [ "\$(stty size)" != "50 132" ]; do sleep 0.1; done; echo resi''zed\r
expect resized
send exit 4\r
STEPS
echo $?)sh",
       "4\n"},
      {"Terminal", "TellsOfResizes",
       R"sh(on_terminal 24 80 twinbox exec -it $plain sh -c 'trap "echo changed; exit 5" WINCH; echo ready;
            while :; do sleep 0.1; done' <<STEPS
expect ready
resize 25 81
expect changed
STEPS
echo $?)sh",
       "5\n"},
      {"Terminal", "InterruptEndsTheForeground",
       R"sh(on_terminal 24 80 twinbox exec -it $plain sh <<STEPS
send sh -c 'echo rea''dy; exec sleep 1000'\r
expect ready
send \x03
send echo status \$?\r
expect status 130
send exit\r
STEPS
echo done)sh",
       "done\n"},
      {"Terminal", "StopsAndContinuesJobs",
       R"sh(on_terminal 24 80 twinbox exec -it $plain sh <<STEPS
send sh -c 'echo rea''dy; exec sleep 1000'\r
expect ready
send \x1a
expect Stopped
send exit 5\r
expect stopped jobs
send exit 6\r
STEPS
echo $?)sh",
       "6\n"},
      {"Terminal", "EndOfFileEndsTheShell",
       R"sh(on_terminal 24 80 twinbox exec -it $plain sh <<STEPS
send echo rea''dy\r
expect ready
expect #
send \x04
STEPS
echo $?)sh",
       "0\n"},
      {"Terminal", "HasAType",
       R"sh(on_terminal 24 80 twinbox exec -it $plain sh -c 'echo "<$TERM>"' <<STEPS
expect <xterm>
STEPS
echo $?)sh",
       "0\n"},
      {"Terminal", "HasNoTypeWithoutOne", R"sh(tb exec $plain sh -c 'echo "<$TERM>"')sh", "<>\n"},
      {"Terminal", "NeedsOneForInput",
       R"sh(says 'the input device is not a TTY' tb exec -it $plain true)sh", "yes\n"},
      {"Terminal", "EchoesWhatIsTyped",
       R"sh(on_terminal 24 80 twinbox exec -it $plain cat <<STEPS
send typed\r
expect typed
expect typed
send \x04
STEPS
echo $?)sh",
       "0\n"},
      {"Terminal", "ViIsUsable",
       R"sh(on_terminal 24 80 twinbox exec -it $plain vi /tmp/edited <<STEPS
expect /tmp/edited
send ihello\x1b
expect - /tmp/edited
send :wq\r
STEPS
tb exec $plain cat /tmp/edited)sh",
       "hello\n"},
      {"Terminal", "TopIsUsable",
       R"sh(on_terminal 24 80 twinbox exec -it $plain top <<STEPS
expect Mem:
expect COMMAND
send q
STEPS
echo $?)sh",
       "0\n"},
      {"Terminal", "OfRun",
       R"sh(on_terminal 33 99 twinbox run --rm -it --as $ENGINE busybox sh <<STEPS
send stty size; tty\r
expect 33 99
expect /dev/
send exit 5\r
STEPS
echo $?)sh",
       "5\n"},
      {"Terminal", "DetachKeysLeaveTheBox",
       R"sh(on_terminal 24 80 twinbox run --name $me -it --as $ENGINE busybox sh <<STEPS
send echo rea''dy\r
expect ready
send \x10\x11
STEPS
          inspect '{{.State.Status}}' $me
          on_terminal 24 80 twinbox attach $me <<STEPS
send echo ba''ck\r
expect back
send exit 8\r
STEPS
echo $?)sh",
       "running\n8\n"},
      {"Terminal", "OtherDetachKeys",
       R"sh(on_terminal 24 80 twinbox exec -it --detach-keys ctrl-a,x $plain sh <<STEPS
send echo rea''dy\r
expect ready
send \x01x
STEPS
echo left)sh",
       "left\n"},
  };  // namespace twinbox::conformance
}

}  // namespace twinbox::conformance
