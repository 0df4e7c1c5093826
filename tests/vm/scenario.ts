/**
 * The life of containers in a real VM, whatever its control groups are.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Duplex } from "../../base/duplex.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import type { Image } from "../../image/build.ts";
import { emptyDisk, layerDisk } from "./disks.ts";
import { type BootOptions, GuestMachine } from "./guest_machine.ts";

/** LUNs of the disks. The scratch disk's is no neighbour of the layer's. */
const luns = { layer: 0, scratch: 5 } as const;

const places = {
  layer: `/run/mounts/scsi/0_${luns.layer}_0`,
  scratch: `/run/mounts/scsi/0_${luns.scratch}_0`,
} as const;

/** Bytes that the container of the statistics may use. */
const memoryLimit = 64 * 2 ** 20;

const output = { stdin: false, stdout: true, stderr: true };

async function textOf(stream: Duplex | undefined): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (let n; stream && (n = await stream.read(buffer)) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

/** A process's standard output, standard error and exit code. */
async function finish(
  process: GuestProcess,
): Promise<[stdout: string, stderr: string, code: number]> {
  const [stdout, stderr] = await Promise.all([
    textOf(process.stdout),
    textOf(process.stderr),
  ]);
  await process.close();
  return [stdout, stderr, await process.exited];
}

async function plugDisks(machine: GuestMachine, image: Image): Promise<void> {
  const layer = await layerDisk(image.packages, machine.folder);
  const scratch = await emptyDisk(machine.folder, "scratch", 64);
  await machine.attach(layer, luns.layer, true);
  await machine.attach(scratch, luns.scratch, false);
  await machine.modify("Add", "MappedVirtualDisk", {
    MountPath: places.layer,
    Lun: luns.layer,
    ReadOnly: true,
    Options: ["ro"],
  });
  await machine.modify("Add", "MappedVirtualDisk", {
    MountPath: places.scratch,
    Lun: luns.scratch,
    EnsureFilesystem: true,
    Filesystem: "ext4",
  });
}

async function unplugDisks(machine: GuestMachine): Promise<void> {
  for (const disk of ["scratch", "layer"] as const) {
    await machine.modify("Remove", "MappedVirtualDisk", {
      MountPath: places[disk],
      Lun: luns[disk],
    });
    await machine.detach(luns[disk]);
  }
}

function bundleOf(id: string): string {
  return `/run/gcs/pods/${id}/${id}`;
}

async function createContainer(
  machine: GuestMachine,
  id: string,
  args: readonly string[],
): Promise<void> {
  const scratch = `${places.scratch}/scratch/${id}/${id}`;
  await machine.modify("Add", "CombinedLayers", {
    ContainerID: id,
    ContainerRootPath: `${bundleOf(id)}/rootfs`,
    Layers: [{ Path: places.layer }],
    ScratchPath: scratch,
  });
  await machine.guest.createContainer(id, {
    SchemaVersion: { Major: 2, Minor: 1 },
    OciBundlePath: bundleOf(id),
    ScratchDirPath: scratch,
    OciSpecification: {
      ociVersion: "1.1.0",
      process: {
        user: { uid: 0, gid: 0 },
        args: [...args],
        env: ["PATH=/bin", "HOME=/"],
        cwd: "/",
      },
      root: { path: `${bundleOf(id)}/rootfs` },
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        { destination: "/dev", type: "tmpfs", source: "tmpfs" },
      ],
      linux: {
        resources: { memory: { limit: memoryLimit } },
        namespaces: ["pid", "ipc", "uts", "mount", "network"]
          .map((type) => ({ type })),
      },
    },
  });
}

async function removeContainer(
  machine: GuestMachine,
  id: string,
): Promise<void> {
  await machine.modify("Remove", "CombinedLayers", {
    ContainerRootPath: `${bundleOf(id)}/rootfs`,
  });
  await machine.guest.deleteContainerState(id);
}

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

/** A container that is looked into, and killed. */
async function runUntilKilled(
  machine: GuestMachine,
  cgroup: 1 | 2,
): Promise<void> {
  const { guest } = machine;
  await createContainer(machine, "stays", ["sleep", "1000"]);
  const init = await guest.execute("stays", {}, output);
  const exec = await guest.execute("stays", {
    OciProcess: {
      args: ["sh", "-c", "echo $$ $0; exit 4"],
      cwd: "/",
      env: ["PATH=/bin"],
      user: { uid: 0, gid: 0 },
    },
  }, output);
  const [stdout, stderr, code] = await finish(exec);
  assertEquals([stdout.split(" ")[1], stderr, code], ["sh\n", "", 4]);
  const limitFile = cgroup === 2
    ? "/sys/fs/cgroup/pods/stays/memory.max"
    : "/sys/fs/cgroup/memory/pods/stays/memory.limit_in_bytes";
  assertEquals(await machine.run(`cat ${limitFile}`), `${memoryLimit}`);
  const { LCOWMetrics, ProcessList } = await guest.properties("stays", [
    "Statistics",
    "ProcessList",
  ]);
  assertEquals(ProcessList?.map(({ ProcessId }) => ProcessId), [init.pid]);
  assertEquals(LCOWMetrics?.memory?.usage?.limit, BigInt(memoryLimit));
  assert(LCOWMetrics?.memory?.usage?.usage! > 0n);
  assertEquals(LCOWMetrics?.pids?.current, 1n);
  assertEquals(await init.signal(15), true); // a first process ignores it
  assertEquals(await init.signal(), true);
  assertEquals((await finish(init))[2], 137);
  await removeContainer(machine, "stays");
}

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
      "find /sys/fs/cgroup -path '*pods/?*' -type d; ps | grep -c '[Z]'",
  );
  assertEquals(left.split("\n").filter((line) => /ends|stays/.test(line)), []);
}

/** Boots a machine, lives in it, and switches it off. */
export async function liveInMachine(
  image: Image,
  options: BootOptions,
): Promise<void> {
  const machine = await GuestMachine.boot(image, options);
  try {
    await lookAround(machine, options.cgroup);
    await plugDisks(machine, image);
    await runToItsEnd(machine);
    await runUntilKilled(machine, options.cgroup);
    await unplugDisks(machine);
    await assertClean(machine);
    const { code, log, console } = await machine.shutDown();
    assertEquals(code, 0);
    assertStringIncludes(console, `"bytes":512`);
    for (const line of log.trim().split("\n")) JSON.parse(line);
    for (const message of messages) assertStringIncludes(log, message);
  } finally {
    await machine.stop();
  }
}
