/**
 * The life of containers in a real VM, whatever its control groups are.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deadline, systemClock } from "../../base/clock.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import type { Image } from "../../image/build.ts";
import {
  createContainer,
  finish,
  inContainer,
  mebibyte,
  output,
  places,
  plugDisks,
  removeContainer,
  unplugDisks,
} from "./containers.ts";
import { type BootOptions, GuestMachine } from "./guest_machine.ts";

/** A container that ends by itself. */
async function runToItsEnd(machine: GuestMachine): Promise<void> {
  await createContainer(machine, "ends", [
    "sh",
    "-c",
    "cat; echo to stderr >&2; echo written >/kept; exit 3",
  ]);
  const init = await machine.guest.execute("ends", {}, {
    ...output,
    stdin: true,
  });
  await init.stdin!.write(new TextEncoder().encode("through the VM\n"));
  await init.stdin!.closeWrite();
  const end = await finish(init);
  assertEquals(end, ["through the VM\n", "to stderr\n", 3]);
  // The upper layer is on the hot-plugged disk.
  const kept = `${places.scratch}/scratch/ends/ends/upper/kept`;
  assertEquals(await machine.run(`cat ${kept}`), "written");
  await removeContainer(machine, "ends");
}

/** Commands, what they are given, what they say, and their exit codes. */
const commands: readonly (readonly [string, string, string, number])[] = [
  ["true", "", "", 0],
  ["echo -n exactly", "", "exactly", 0],
  ["tee", "through\n", "through\n", 0],
  ["exit 4", "", "", 4],
];

async function metricsOf(
  { guest }: GuestMachine,
  id: string,
): Promise<LCOWMetrics> {
  return (await guest.properties(id, ["Statistics"])).LCOWMetrics ?? {};
}

/** What the kernel says of a container's limit. */
function limitFile(id: string, cgroup: 1 | 2): string {
  return cgroup === 2
    ? `/sys/fs/cgroup/pods/${id}/memory.max`
    : `/sys/fs/cgroup/memory/pods/${id}/memory.limit_in_bytes`;
}

/** Processes, memory and limits of a container that does nothing. */
async function lookInto(
  machine: GuestMachine,
  init: GuestProcess,
  cgroup: 1 | 2,
): Promise<void> {
  const limit = 64 * mebibyte;
  const file = await machine.run(`cat ${limitFile("stays", cgroup)}`);
  assertEquals(file, `${limit}`);
  const { ProcessList } = await machine.guest.properties("stays", [
    "ProcessList",
  ]);
  assertEquals(ProcessList?.map(({ ProcessId }) => ProcessId), [init.pid]);
  const { memory, pids, cpu } = await metricsOf(machine, "stays");
  const { usage = 0n } = memory?.usage ?? {};
  assertEquals(memory?.usage?.limit, BigInt(limit));
  assert(usage > 0n && usage <= BigInt(limit), `${usage} bytes of memory`);
  assert(cpu?.usage?.total! > 0n);
  assertEquals(pids?.current, 1n);
  const [group] = await inContainer(machine, "stays", "cat /proc/self/cgroup");
  assertStringIncludes(group, "/pods/stays");
}

/** A process that takes more memory than its container has. */
async function exceedMemory(machine: GuestMachine): Promise<void> {
  const fill = "dd if=/dev/zero of=/dev/filled bs=1M count=128";
  const [, , code] = await inContainer(machine, "stays", `exec ${fill}`);
  assertEquals(code, 137);
  const { memory_oom_control } = await metricsOf(machine, "stays");
  assert(memory_oom_control?.oom_kill! > 0n);
}

/** Milliseconds until a busy container must have been slowed down. */
const busyLimit = 20_000;

/** A busy container gets no more than its part of the processor. */
async function exceedProcessor(machine: GuestMachine): Promise<void> {
  const { cpu, memory } = await deadline(
    systemClock,
    busyLimit,
    "slowing a container down",
    async (signal) => {
      for (;;) {
        const metrics = await metricsOf(machine, "busy");
        if (metrics.cpu?.throttling?.throttled_periods! > 3n) return metrics;
        await systemClock.sleep(200, signal); // the kernel only counts
      }
    },
  );
  assert(cpu?.throttling?.periods! > 0n);
  assert(cpu?.throttling?.throttled_time! > 0n);
  assert(cpu?.usage?.total! > 0n);
  const limit = BigInt(128 * mebibyte);
  assertEquals(memory?.usage?.limit, limit);
  assert(memory?.usage?.usage! <= limit);
}

/** Two containers beside each other that are looked into, and killed. */
async function runUntilKilled(
  machine: GuestMachine,
  cgroup: 1 | 2,
): Promise<void> {
  const { guest } = machine;
  await createContainer(machine, "stays", ["sleep", "1000"]);
  const stays = await guest.execute("stays", {}, output);
  for (const [command, input, stdout, code] of commands) {
    const end = await inContainer(machine, "stays", command, input);
    assertEquals(end, [stdout, "", code]);
  }
  await lookInto(machine, stays, cgroup);
  const loop = ["sh", "-c", "while :; do :; done"];
  const limits = { memory: 128, processor: 10 };
  await createContainer(machine, "busy", loop, limits);
  const busy = await guest.execute("busy", {}, output);
  await exceedProcessor(machine);
  await exceedMemory(machine);
  assertEquals(await stays.signal(15), true); // a first process ignores it
  for (const [id, init] of [["busy", busy], ["stays", stays]] as const) {
    assertEquals(await init.signal(), true);
    assertEquals((await finish(init))[2], 137);
    await removeContainer(machine, id);
  }
}

/** Files that are there with one version of control groups, not the other. */
const groupFiles = {
  1: "/sys/fs/cgroup/memory/cgroup.procs",
  2: "/sys/fs/cgroup/cgroup.controllers",
} as const;

/** What the machine is after init. */
async function lookAround(
  machine: GuestMachine,
  cgroup: 1 | 2,
): Promise<void> {
  const type = cgroup === 2 ? "cgroup2" : "tmpfs";
  const mounts = await machine.run("cat /proc/mounts");
  assertStringIncludes(
    mounts,
    `/sys/fs/cgroup ${type} rw,nosuid,nodev,noexec`,
  );
  const files = await machine.run(`ls ${Object.values(groupFiles).join(" ")}`);
  assertEquals(files, groupFiles[cgroup]);
  const links = await machine.run("readlink /dev/fd; cat /proc/1/comm");
  assertEquals(links, "/proc/self/fd\ndeno");
  for (const process of ["1", "self"]) {
    const limits = await machine.run(`cat /proc/${process}/limits`);
    assert(/Max open files\s+1024\s+1048576/.test(limits), limits);
  }
  // The kernel asks for what no list names.
  const module = "ls -d /sys/module/erofs";
  const asked = await machine.run(`mount -t erofs none /mnt; ${module}`);
  assertEquals(asked, "/sys/module/erofs");
  await machine.run("echo '<3>heard in the kernel' >/dev/kmsg");
  const loopback = await machine.run("ip addr show lo");
  assertStringIncludes(loopback, "127.0.0.1/8");
  // What the agent starts is in its group.
  const group = await machine.run("cat /proc/self/cgroup");
  assertStringIncludes(group, "/gcs");
}

/** What the agent's log must tell. */
const messages = [
  '"msg":"Runtime chosen"',
  '"level":"error","msg":"heard in the kernel","from":"kernel"',
  '"msg":"The clock is not kept"', // QEMU has no clock of Hyper-V
];

/** Nothing of a container may be left in the machine. */
async function assertClean(machine: GuestMachine): Promise<void> {
  const left = await machine.run(
    "ls /run/gcs/pods /run/mounts/scsi /sys/bus/scsi/devices; " +
      "find /sys/fs/cgroup -path '*pods/?*' -type d",
  );
  const ours = /ends|stays|busy|^0:0:0/;
  assertEquals(left.split("\n").filter((line) => ours.test(line)), []);
}

/** How a machine ends. */
const endings = {
  /** The host asks for it. */
  shutdown: {
    begin: (machine: GuestMachine) => machine.shutDown(),
    console: '"bytes":512',
  },
  /** Its agent dies: nobody could reach what runs there. */
  "agent killed": {
    begin: (machine: GuestMachine) => machine.killAgent(),
    console: "Attempted to kill init! exitcode=0x00008900", // 137
  },
} as const;

/** Boots a machine, lives in it, and switches it off. */
export async function liveInMachine(
  image: Image,
  options: BootOptions,
  ending: keyof typeof endings,
): Promise<void> {
  const machine = await GuestMachine.boot(image, options);
  try {
    await lookAround(machine, options.cgroup);
    await plugDisks(machine, image);
    await runToItsEnd(machine);
    await runUntilKilled(machine, options.cgroup);
    await unplugDisks(machine);
    await assertClean(machine);
    const { code, log, console } = await endings[ending].begin(machine);
    assertEquals(code, 0);
    assertStringIncludes(console, endings[ending].console);
    for (const line of log.trim().split("\n")) JSON.parse(line);
    for (const message of messages) assertStringIncludes(log, message);
  } finally {
    await machine.stop();
  }
}
