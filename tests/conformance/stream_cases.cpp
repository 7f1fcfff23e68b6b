// Standard streams: apart, whole, of any size, and in every state that a caller may hand over.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {

std::vector<Case> stream_cases() {
  return {
      {"Streams", "RunKeepsThemApart",
       R"sh(run --rm busybox sh -c 'echo out; echo err >&2' 2>$dir/err; sed s/^/2:/ $dir/err)sh",
       "out\n2:err\n"},
      {"Streams", "ExecShowsOutput",
       R"sh(tb exec $plain sh -c 'echo out; echo err >&2' 2>/dev/null)sh", "out\n"},
      {"Streams", "ExecShowsErrors",
       R"sh(tb exec $plain sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)sh", "err\n"},
      {"Streams", "BinaryOutputOfRun",
       R"sh(head -c 3000000 /dev/urandom >$dir/sent
          run --rm -i busybox cat <$dir/sent | cmp - $dir/sent && echo same)sh",
       "same\n"},
      {"Streams", "BinaryOutputOfExec",
       R"sh(head -c 3000000 /dev/urandom >$dir/sent
          tb exec -i $plain cat <$dir/sent | cmp - $dir/sent && echo same)sh",
       "same\n"},
      {"Streams", "HundredThousandLinesOfRun",
       R"sh(run --rm busybox seq 100000 >$dir/lines; seq 100000 | cmp - $dir/lines && echo same)sh",
       "same\n"},
      {"Streams", "HundredThousandLinesOfExec",
       R"sh(tb exec $plain seq 100000 >$dir/lines; seq 100000 | cmp - $dir/lines && echo same)sh",
       "same\n"},
      {"Streams", "ZeroBytes", R"sh(tb exec $plain printf 'a\000b' | tr '\000' N)sh", "aNb"},
      {"Streams", "NoNewlineAtTheEnd", R"sh(tb exec $plain printf abc)sh", "abc"},
      {"Streams", "OneLongLine",
       R"sh(tb exec $plain head -c 1000000 /dev/zero | wc -c | tr -d ' ')sh", "1000000\n"},
      {"Streams", "LettersBeyondAscii", R"sh(tb exec $plain echo 'grüße, 世界')sh",
       "grüße, 世界\n"},
      {"Streams", "AReaderThatGoesAway", R"sh(tb exec $plain yes | head -n 1)sh", "y\n"},
      {"Streams", "OutputByItsName",
       R"sh(tb exec $plain sh -c 'echo out >/dev/stdout; echo err >/dev/stderr' 2>/dev/null)sh",
       "out\n"},
      {"Streams", "OutputThatIsClosed", R"sh(tb exec $plain sh -c 'echo x; exit 3' >&-; echo $?)sh",
       "3\n"},
      {"Streams", "OutputThatCannotBeWritten",
       R"sh(tb exec $plain echo lost 2>$dir/err >/dev/full; echo $?; grep -c 'No space left' $dir/err
          tb exec $plain sh -c 'echo lost; exit 3' 2>/dev/null >/dev/full; echo $?
          tb exec $plain yes 2>/dev/null >/dev/full; echo $?)sh",
       "125\n1\n3\n125\n"},
      {"Streams", "OutputOfRunThatCannotBeWritten",
       R"sh(run --rm busybox echo lost 2>$dir/err >/dev/full; echo $?; grep -c 'No space left' $dir/err)sh",
       "125\n1\n"},
      {"Streams", "OutputOfAVerbThatCannotBeWritten",
       R"sh(tb ps 2>$dir/err >/dev/full; echo $?; grep -c 'No space left' $dir/err
          tb rm nothing-of-this-name 2>/dev/null >/dev/full; echo $?)sh",
       "125\n1\n1\n"},
      {"Streams", "AFewBytesComeAtOnce",
       R"sh(twinbox exec $plain sh -c 'echo early; exec sleep 1000' >$dir/out & command=$!
          until_true grep -q early $dir/out; kill $command; wait $command; cat $dir/out)sh",
       "early\n"},

      {"Input", "NoneUnlessAsked", R"sh(echo typed | tb exec $plain wc -c)sh", "0\n"},
      {"Input", "NoneForRunUnlessAsked", R"sh(echo typed | run --rm busybox wc -c)sh", "0\n"},
      {"Input", "APipe", R"sh(echo typed | tb exec -i $plain cat)sh", "typed\n"},
      {"Input", "APipeForRun", R"sh(echo typed | run --rm -i busybox cat)sh", "typed\n"},
      {"Input", "AFile", R"sh(printf 'a\nb\n' >$dir/file; tb exec -i $plain wc -l <$dir/file)sh",
       "2\n"},
      {"Input", "AnEmptyFile", R"sh(tb exec -i $plain wc -c </dev/null)sh", "0\n"},
      {"Input", "Closed", R"sh(tb exec -i $plain wc -c <&-)sh", "0\n"},
      {"Input", "ClosedForRun", R"sh(run --rm -i busybox wc -c <&-)sh", "0\n"},
      {"Input", "Huge", R"sh(head -c 20000000 /dev/zero | tb exec -i $plain wc -c)sh",
       "20000000\n"},
      {"Input", "NeverRead", R"sh(head -c 1000000 /dev/zero | tb exec -i $plain true; echo $?)sh",
       "0\n"},
      {"Input", "HalfRead",
       R"sh(head -c 1000000 /dev/zero | tb exec -i $plain head -c 3 | tr '\000' N)sh", "NNN"},
      {"Input", "ASlowWriter", R"sh((echo a; sleep 0.3; echo b) | tb exec -i $plain cat)sh",
       "a\nb\n"},
      {"Input", "LinesAreAnsweredOneByOne",
       R"sh(mkfifo $dir/to $dir/from
          tb exec -i $plain sh -c 'while read -r line; do echo "got $line"; done' \
            <$dir/to >$dir/from &
          exec 3>$dir/to 4<$dir/from
          echo one >&3; read -r answer <&4; echo "$answer"
          echo two >&3; read -r answer <&4; echo "$answer"
          exec 3>&-; wait)sh",
       "got one\ngot two\n"},
  };
}

}  // namespace twinbox::conformance
