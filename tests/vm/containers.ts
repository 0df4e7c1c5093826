/**
 * Disks and containers of a machine, made as the shim makes them.
 *
 * @module
 */

import type { Duplex } from "../../base/duplex.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import type { Image } from "../../image/build.ts";
import { emptyDisk, layerDisk } from "./disks.ts";
import type { GuestMachine } from "./guest_machine.ts";

/** LUNs of the disks. The scratch disk's is no neighbour of the layer's. */
const luns = { layer: 0, scratch: 5 } as const;

/** Where the disks are mounted. */
export const places = {
  layer: `/run/mounts/scsi/0_${luns.layer}_0`,
  scratch: `/run/mounts/scsi/0_${luns.scratch}_0`,
} as const;

/** What a container may use. */
export interface Limits {
  /** MiB of memory. */
  readonly memory: number;
  /** Percent of a processor. */
  readonly processor?: number;
}

/** Bytes. */
export const mebibyte = 2 ** 20;

/** What is wanted of a process that reads nothing. */
export const output = { stdin: false, stdout: true, stderr: true };

async function textOf(stream: Duplex | undefined): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (let n; stream && (n = await stream.read(buffer)) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

/** A process's standard output, standard error and exit code. */
export async function finish(
  process: GuestProcess,
): Promise<[stdout: string, stderr: string, code: number]> {
  const [stdout, stderr] = await Promise.all([
    textOf(process.stdout),
    textOf(process.stderr),
  ]);
  await process.close();
  return [stdout, stderr, await process.exited];
}

/** Plugs a layer and an empty disk in, and has them mounted. */
export async function plugDisks(
  machine: GuestMachine,
  image: Image,
): Promise<void> {
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

/** Has the disks unmounted, and pulls them out. */
export async function unplugDisks(machine: GuestMachine): Promise<void> {
  for (const disk of ["scratch", "layer"] as const) {
    await machine.modify("Remove", "MappedVirtualDisk", {
      MountPath: places[disk],
      Lun: luns[disk],
    });
    await machine.modify("Remove", "SCSIDevice", {
      Controller: 0,
      Lun: luns[disk],
    });
    await machine.detach(luns[disk]);
  }
}

function bundleOf(id: string): string {
  return `/run/gcs/pods/${id}/${id}`;
}

/** Combines the layers of a container and creates it. */
export async function createContainer(
  machine: GuestMachine,
  id: string,
  args: readonly string[],
  limits: Limits = { memory: 64 },
): Promise<void> {
  const { memory, processor } = limits;
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
        resources: {
          memory: { limit: memory * mebibyte },
          ...(processor !== undefined &&
            { cpu: { quota: processor * 1_000, period: 100_000 } }),
        },
        namespaces: ["pid", "ipc", "uts", "mount", "network"]
          .map((type) => ({ type })),
      },
    },
  });
}

/** Takes the layers of a container apart and forgets it. */
export async function removeContainer(
  machine: GuestMachine,
  id: string,
): Promise<void> {
  await machine.modify("Remove", "CombinedLayers", {
    ContainerRootPath: `${bundleOf(id)}/rootfs`,
  });
  await machine.guest.deleteContainerState(id);
}

/** Runs a command in a container, with an input that ends at once. */
export async function inContainer(
  { guest }: GuestMachine,
  id: string,
  command: string,
  input = "",
): Promise<[stdout: string, stderr: string, code: number]> {
  const process = await guest.execute(id, {
    OciProcess: {
      args: ["sh", "-c", command],
      cwd: "/",
      env: ["PATH=/bin"],
      user: { uid: 0, gid: 0 },
    },
  }, { ...output, stdin: true });
  await process.stdin!.write(new TextEncoder().encode(input));
  await process.stdin!.closeWrite();
  return await finish(process);
}
