#!/bin/bash
# A private view of this machine for the guest agent under test: own mounts, own
# process ids, own network and a private tree of control groups (version 1), in
# groups named NAME. Nothing that happens inside reaches the machine.
#
#   guest_vm.sh NAME FOLDER COMMAND...
#
# Ends with COMMAND; when this process is killed, everything inside is.
set -eu
name=$1 folder=$2
shift 2
controllers="cpu cpuacct cpuset memory devices freezer blkio pids"
for controller in $controllers systemd; do
  group=/sys/fs/cgroup/$controller/$name
  mkdir "$group"
  if [ "$controller" = cpuset ]; then
    for file in cpuset.cpus cpuset.mems; do
      cat "/sys/fs/cgroup/cpuset/$file" >"$group/$file"
    done
  fi
  echo $$ >"$group/cgroup.procs"
done
export folder controllers
exec unshare --mount --pid --fork --cgroup --uts --net --ipc \
  --kill-child=KILL --propagation private -- bash -c '
set -eu
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 cgroups /sys/fs/cgroup
for controller in $controllers; do
  mkdir "/sys/fs/cgroup/$controller"
  mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
done
# The bus of the hypervisor, with one SCSI controller.
mount -t tmpfs bus /sys/bus
mkdir -p /sys/bus/vmbus/devices/df6d0690-79e5-55b6-a5ec-c1e2f77f580a/host0
mkdir -p /sys/bus/scsi/devices
mkdir -p "$folder/dev"
mount -t tmpfs -o mode=755 dev "$folder/dev"
for node in null zero full random urandom tty; do
  cp --archive "/dev/$node" "$folder/dev/"
done
mkdir "$folder/dev/pts" "$folder/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$folder/dev/pts"
ln -s pts/ptmx "$folder/dev/ptmx"
ln -s /proc/self/fd "$folder/dev/fd"
mount --move "$folder/dev" /dev
mount -t tmpfs -o mode=755 run /run
hostname uvm
exec "$@"' _ "$@"
