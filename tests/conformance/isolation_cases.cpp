// What a workload may touch: its root, other file systems, capabilities, system calls, namespaces.
#include "tests/conformance/case.hpp"

namespace twinbox::conformance {
namespace {

std::vector<Case> root_cases() {
  return {
      {"Root", "ReadOnly", R"sh(says 'Read-only file system' tb exec -u 0 $closed touch /file)sh",
       "yes\n"},
      {"Root", "ReadOnlyHasWritableTmpfs",
       R"sh(tb exec $closed sh -c 'echo text >/scratch/file; cat /scratch/file')sh", "text\n"},
      {"Root", "Writable", R"sh(tb exec $plain sh -c 'echo text >/file; cat /file; rm /file')sh",
       "text\n"},
      {"Root", "ChangesStayInTheBox",
       R"sh(tb exec $plain touch /only-here; status run --rm busybox test -e /only-here)sh", "1\n"},
      {"Root", "HasAStickyTmp", R"sh(tb exec $plain stat -c %a /tmp)sh", "1777\n"},
      {"Tmpfs", "LimitOfSize",
       R"sh(tb exec $closed sh -c 'dd if=/dev/zero of=/scratch/big bs=64k count=64 2>/dev/null;
            test $(stat -c %s /scratch/big) -le 1048576 && echo kept; rm /scratch/big')sh",
       "kept\n"},
      {"Tmpfs", "IsOpenToAll", R"sh(tb exec $closed stat -c %a /mnt)sh", "1777\n"},
      {"Tmpfs", "RunsNoPrograms",
       R"sh(tb exec $closed sh -c 'cp /bin/busybox /mnt/true; /mnt/true; echo $?; rm /mnt/true' 2>/dev/null)sh",
       "126\n"},
      {"Tmpfs", "HasDockersOptions",
       R"sh(tb exec $closed sh -c 'grep " /mnt " /proc/mounts | cut -d" " -f4 | tr , "\n" |
            grep -E "^(nosuid|nodev|noexec|rw)$" | sort | tr "\n" " "')sh",
       "nodev noexec nosuid rw "},
      {"Devices", "AreTheUsualOnes",
       R"sh(tb exec $plain sh -c 'for d in null zero full random urandom tty; do
            test -c /dev/$d && echo $d; done' | tr '\n' ' ')sh",
       "null zero full random urandom tty "},
      {"Devices", "StreamsHaveTheirNames",
       R"sh(tb exec $plain sh -c 'for l in fd stdin stdout stderr; do readlink /dev/$l; done')sh",
       "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n"},
      {"Devices", "FullIsFull",
       R"sh(says 'No space left' tb exec $plain sh -c 'echo x >/dev/full')sh", "yes\n"},
      {"Devices", "DisksAreOutOfReach",
       R"sh(tb exec $plain sh -c 'for number in 8:0 254:0; do mknod /dev/x b ${number%:*} 0
            head -c1 /dev/x 2>&1; rm -f /dev/x; done' | grep -c "Operation not permitted")sh",
       "2\n"},
      {"Proc", "KernelMemoryIsMasked",
       R"sh(tb exec $plain sh -c 'cat /proc/kcore 2>/dev/null | wc -c')sh", "0\n"},
      {"Proc", "KeysAreMasked", R"sh(tb exec $plain sh -c 'cat /proc/keys 2>/dev/null | wc -c')sh",
       "0\n"},
      {"Proc", "SystemRequestsAreRefused",
       R"sh(status tb exec $plain sh -c 'echo h >/proc/sysrq-trigger')sh", "1\n"},
      {"Proc", "KernelSettingsAreReadOnly",
       R"sh(says 'Read-only file system' tb exec $plain sh -c 'echo 1 >/proc/sys/kernel/panic')sh",
       "yes\n"},
      {"Proc", "SysIsReadOnly",
       R"sh(says 'Read-only file system' tb exec $plain mkdir /sys/fs/cgroup/x)sh", "yes\n"},
      {"Proc", "FirmwareIsMasked", R"sh(tb exec $plain sh -c 'ls /sys/firmware 2>&1 | wc -l')sh",
       "0\n"},
  };
}

std::vector<Case> privilege_cases() {
  return {
      {"Capabilities", "DockersByDefault", R"sh(tb exec $plain grep CapEff /proc/1/status)sh",
       "CapEff:\t00000000a80425fb\n"},
      {"Capabilities", "OfExecToo",
       R"sh(tb exec $plain grep -E 'Cap(Eff|Bnd)' /proc/self/status)sh",
       "CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n"},
      {"Capabilities", "DroppedAndAdded", R"sh(tb exec $closed grep CapBnd /proc/1/status)sh",
       "CapBnd:\t0000000000000001\n"},
      {"Capabilities", "NoneForAUser", R"sh(tb exec $closed grep CapEff /proc/1/status)sh",
       "CapEff:\t0000000000000000\n"},
      {"Capabilities", "NoneForAUserOfExec",
       R"sh(tb exec -u nobody $plain grep CapEff /proc/self/status)sh",
       "CapEff:\t0000000000000000\n"},
      {"Capabilities", "AreTakenFromRootToo", R"sh(status tb exec -u 0 $closed chroot / true)sh",
       "1\n"},
      {"Capabilities", "ThatIsKeptWorks",
       R"sh(tb exec -u 0 $closed sh -c 'touch /mnt/f; chown 7 /mnt/f; stat -c %u /mnt/f; rm /mnt/f')sh",
       "7\n"},
      {"Capabilities", "AllWhenPrivileged",
       R"sh([ "$(tb exec $privileged grep CapEff /proc/self/status)" = "$(all_capabilities)" ]; echo $?)sh",
       "0\n"},
      {"Capabilities", "PrivilegedMayMount",
       R"sh(tb exec $privileged sh -c 'mount -t tmpfs none /tmp && echo mounted; umount /tmp')sh",
       "mounted\n"},
      {"Capabilities", "OthersMayNotMount", R"sh(status tb exec $plain mount -t tmpfs none /tmp)sh",
       "1\n"},
      {"Capabilities", "UnknownOnesAreRefused",
       R"sh(status run --rm --cap-add NO_SUCH busybox true)sh", "125\n"},
      {"Privileges", "NoNewOnes", R"sh(tb exec $closed grep NoNewPrivs /proc/1/status)sh",
       "NoNewPrivs:\t1\n"},
      {"Privileges", "NoNewOnesForExec", R"sh(tb exec $closed grep NoNewPrivs /proc/self/status)sh",
       "NoNewPrivs:\t1\n"},
      {"Seccomp", "FiltersByDefault", R"sh(tb exec $plain grep Seccomp: /proc/1/status)sh",
       "Seccomp:\t2\n"},
      {"Seccomp", "FiltersExec", R"sh(tb exec $plain grep Seccomp: /proc/self/status)sh",
       "Seccomp:\t2\n"},
      {"Seccomp", "NotWhenPrivileged", R"sh(tb exec $privileged grep Seccomp: /proc/1/status)sh",
       "Seccomp:\t0\n"},
      {"Seccomp", "RefusesNewNamespaces",
       R"sh(says 'not permitted' tb exec $plain unshare -m true)sh", "yes\n"},
      {"Seccomp", "TakesAProfile",
       R"sh(echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
            {"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}' >$dir/profile
          says 'not permitted' run --rm --security-opt seccomp=$dir/profile busybox mkdir /new)sh",
       "yes\n"},
      {"Namespaces", "HostnameOfTheBox", R"sh(tb exec $closed hostname)sh", "inside\n"},
      {"Namespaces", "HostnameIsTheShortId",
       R"sh([ "$(tb exec $plain hostname)" = "$(inspect '{{.Id}}' $plain | cut -c1-12)" ] && echo it)sh",
       "it\n"},
      {"Namespaces", "TheWorkloadIsProcessOne", R"sh(tb exec $plain cat /proc/1/comm)sh",
       "sleep\n"},
      {"Namespaces", "ExecSeesTheBoxsProcesses",
       R"sh(tb exec $plain sh -c 'ps -o args | grep -c "^sleep 100000[0]"')sh", "1\n"},
      {"Namespaces", "OnlyFewMounts",
       R"sh(tb exec $plain sh -c 'grep -c -E " /(etc/passwd|home|usr) " /proc/mounts')sh", "0\n"},
      {"Namespaces", "ASysctlOfTheBox",
       R"sh(run --rm --sysctl kernel.msgmax=4321 busybox cat /proc/sys/kernel/msgmax)sh", "4321\n"},
  };
}

}  // namespace

std::vector<Case> isolation_cases() {
  auto cases = root_cases();
  auto more = privilege_cases();
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace twinbox::conformance
