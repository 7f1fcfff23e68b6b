// The boxes that many cases look into: booting a machine for each case would take minutes.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {
namespace {

constexpr std::array boxes{
    // All defaults.
    SharedBox{"plain", R"sh(run -d --name $box busybox sleep 1000000)sh"},
    // Prints, and stays.
    SharedBox{"printer", R"sh(run -d --name $box --label color=blue --label empty busybox sh -c \
        'echo first; echo second; echo problem >&2; echo last; exec sleep 1000000';
        until_logged $box last && until_logged $box problem)sh"},
    SharedBox{"limited", R"sh(run -d --name $box --memory 192m --pids-limit 64 --cpus 0.5 \
        --ulimit nofile=64:128 --ulimit core=0 --shm-size 8m \
        busybox sleep 1000000)sh"},
    SharedBox{"crowded", R"sh(run -d --name $box --pids-limit 24 busybox sleep 1000000)sh"},
    // Narrow in all that is not a limit.
    SharedBox{"closed", R"sh(run -d --name $box --read-only --tmpfs /scratch:size=1m --tmpfs /mnt \
        --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges -u daemon:tty \
        --group-add 20 --group-add nogroup --hostname inside -w /tmp -e GREETING='hello world' \
        -e EMPTY= busybox sleep 1000000)sh"},
    SharedBox{"privileged", R"sh(run -d --name $box --privileged busybox sleep 1000000)sh"},
    // Tells of each signal that it gets, and has a process 1 that reaps.
    SharedBox{"trapper", R"sh(run -d --name $box busybox sh -c \
        'for s in HUP INT USR1 USR2 WINCH TERM; do trap "echo got $s" $s; done; echo ready;
         while :; do sleep 0.1; done'; until_logged $box ready)sh"},
    SharedBox{"reaper", R"sh(run -d --init --name $box busybox sleep 1000000)sh"},
};

}  // namespace

std::span<const SharedBox> shared_boxes() { return boxes; }

}  // namespace twinbox::conformance
