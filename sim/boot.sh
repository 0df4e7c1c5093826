#!/bin/sh
# Boots a simulated virtual machine: a private root over the computer's own, with
# its own /dev, /proc, /sys, /run, /tmp and control groups, then the guest agent.
#
#   boot.sh enter FOLDER GROUPS AGENT…   as the first process of new namespaces
#   boot.sh boot FOLDER AGENT…           the same process, in its control groups
#
# FOLDER holds `fstab` (what is mounted where), `m` (where the root is built) and
# the sockets. Says "ready PID" when the root stands, PID being the one outside,
# and waits for a line before it runs the agent, whose standard error follows on
# standard output. Ends with the agent, and with it everything that runs in the
# machine.
set -eu
stage=$1 folder=$2
shift 2

if [ "$stage" = enter ]; then
  groups=$1
  shift
  IFS=:
  for group in $groups; do
    echo 0 >"$group/cgroup.procs"
  done
  unset IFS
  # Only now: the root of a cgroup namespace is the group at its making.
  exec unshare --cgroup -- sh "$0" boot "$folder" "$@"
fi

# The computer's /proc is still there and tells the pid as the computer sees it.
read -r pid _ </proc/self/stat
root=$folder/m/root
mount --no-mtab -t tmpfs -o mode=755 machine "$folder/m"
mkdir -p "$root" "$folder/m/work" "$folder/m/upper/.host"
mount --no-mtab --all --fstab "$folder/fstab"
cp --archive /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty \
  /dev/ptmx /dev/fd /dev/stdin /dev/stdout /dev/stderr "$root/dev/"
cd "$root"
pivot_root . .host
# Container runtimes would find the computer's control groups in the mount table.
# Detaching here does not reach the computer's own mounts.
umount --no-mtab --lazy /.host/sys /.host/proc /.host/dev
echo uvm >/proc/sys/kernel/hostname
ip link set lo up 2>/dev/null || busybox ip link set lo up
echo "ready $pid"
read -r _
"$@" </dev/null 2>&1 >/dev/null &
wait "$!"
