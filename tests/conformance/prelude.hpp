// What every script of the table begins with.
#pragma once

#include <string_view>

namespace twinbox::conformance {

constexpr std::string_view prelude = R"sh(
run() { twinbox run --as "$ENGINE" $START "$@"; }
create() { twinbox create --as "$ENGINE" $START "$@"; }
tb() { twinbox "$@"; }
inspect() { twinbox inspect --format "$@"; }
# status COMMAND...: its status alone.
status() { "$@" >/dev/null 2>&1; echo $?; }
# says TEXT COMMAND...: whether TEXT is in what it prints, in either stream.
says() {
  text=$1; shift
  printed=$("$@" 2>&1 </dev/null) || true
  case $printed in *"$text"*) echo yes ;; *) echo "no: $printed" ;; esac
}
# until_true COMMAND...: asks again and again, for half a minute.
until_true() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { echo "never came true: $*"; return 1; }
    sleep 0.1
  done
}
logged() { twinbox logs "$1" 2>&1 | grep -q "$2"; }
until_logged() { until_true logged "$1" "$2"; }
# All that a privileged process may have: what twinbox has itself, or what a guest's kernel knows.
all_capabilities() {
  if [ "$ENGINE" = container ]; then grep CapEff /proc/self/status
  else printf "CapEff:\t000001ffffffffff\n"; fi
}
has_state() { [ "$(twinbox inspect --format '{{.State.Status}}' "$1")" = "$2" ]; }
until_state() { until_true has_state "$1" "$2"; }
)sh";

}  // namespace twinbox::conformance
