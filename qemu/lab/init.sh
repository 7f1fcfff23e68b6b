#!/bin/sh
# PID 1 of the lab: makes a host out of an initramfs, then serves commands or runs one.
#
# On the kernel's command line:
#   twinbox.ports=N   how many virtio-serial ports to wait for
# In QEMU's fw_cfg:
#   opt/twinbox/script   a command to run once (its streams go to ports); absent: serve with agents
export PATH=/usr/bin HOME=/root

if [ "$1" != second ]; then
  # pivot_root wants a root that has a parent mount, which the initramfs itself has not; a bind
  # mount of it, moved over it, has.
  mount -n --bind / /host && cd /host && mount -n --move . / && exec chroot . /init second
  echo "lab: cannot make the root a mount of its own"
  exit 1
fi

cd /
umask 022
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
# A process enters a control group without waiting for a grace period of RCU, as before Linux 6.0.
mount -t cgroup2 -o favordynmods cgroup2 /sys/fs/cgroup
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
  echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done
# The root is a tmpfs, limited to half of the memory unless told otherwise.
mount -o remount,size=90% /
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
ip link set lo up
hostname lab

while read -r module; do
  insmod "$module" || echo "lab: cannot load $module"
done </etc/lab/modules

# Ports by name, as udev would link them.
ports=$(sed -n 's/.*twinbox\.ports=\([0-9]*\).*/\1/p' /proc/cmdline)
mkdir /dev/virtio-ports
until [ "$(cat /sys/class/virtio-ports/*/name 2>/dev/null | wc -l)" -ge "$ports" ]; do
  sleep 0.02
done
for port in /sys/class/virtio-ports/*; do
  ln -s "../${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
done

script=/sys/firmware/qemu_fw_cfg/by_name/opt/twinbox/script/raw
if [ -e $script ]; then
  cat $script >/run/script
  sh /run/script
  poweroff -f
fi

for port in /dev/virtio-ports/exec.*; do
  while :; do
    twinbox-agent --serve "$port"
    sleep 0.05
  done &
done
while :; do
  wait
  sleep 1
done
