/**
 * PCI devices that the host assigned to the VM for a workload
 * (`spec/guest-runtime.md` 7.4).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { LinuxDevice, Spec, WindowsDevice } from "../../oci/spec.gen.ts";
import { isInside } from "../storage/paths.ts";
import type { PciDevices } from "../storage/pci.ts";
import { addDevice, devicesBelow } from "./devices.ts";

/** What finding assigned devices needs. */
export interface AssignedDeviceOptions {
  /** Finds them on the bus. */
  readonly pci: Pick<PciDevices, "find">;
  /** Time. */
  readonly clock: Clock;
  /** Milliseconds until all of them must have their nodes (hcsshim: 60 s). */
  readonly timeout: number;
  /** Where devices of unknown kinds are told. */
  readonly log: Logger;
  /** Folder of the device nodes. Default: that of the VM. */
  readonly dev?: string;
  /** sysfs. Default: that of the VM. */
  readonly sys?: string;
}

/** Milliseconds between two looks at all nodes (hcsshim: 500 ms). */
const interval = 500;

/** Who cares for a device, by its `idType`. */
const kinds: Readonly<Record<string, "nodes" | "hook">> = {
  "vpci": "nodes",
  "vpci-instance-id": "nodes",
  "gpu": "hook",
};

/**
 * Gives a container the nodes of its assigned devices, with rules to use them.
 * What GPUs need is made by the program of {@linkcode addGpuHook}.
 *
 * @throws {ShimError} InvalidArgument for an id that is no GUID,
 * DeadlineExceeded when a device, or its first node, does not come.
 */
export async function addAssignedDevices(
  spec: Spec,
  options: AssignedDeviceOptions,
): Promise<void> {
  const { clock, timeout } = options;
  const timer = new AbortController();
  const expired = new AbortController();
  const watch = clock.sleep(timeout, timer.signal)
    .then(() => expired.abort(), () => {}); // aborted: all have been found
  try {
    for (const device of spec.windows?.devices ?? []) {
      await addDeviceNodes(spec, device, options, expired.signal);
    }
  } finally {
    timer.abort();
    await watch;
  }
}

async function addDeviceNodes(
  spec: Spec,
  { id, idType }: WindowsDevice,
  options: AssignedDeviceOptions,
  signal: AbortSignal,
): Promise<void> {
  const { log, timeout } = options;
  const kind = kinds[idType];
  if (kind === undefined) {
    log.warn("Assigned device of an unknown kind", { id, idType });
  }
  if (kind !== "nodes") return;
  try {
    for (const node of await nodesOf(id, options, signal)) {
      addDevice(spec, node, true);
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new ShimError(
      "DeadlineExceeded",
      `Cannot give the container the assigned device "${id}": no node of it ` +
        `appeared within ${timeout} ms`,
      { cause },
    );
  }
}

/** The nodes of one device; its driver makes them in its own time. */
async function nodesOf(
  id: string,
  { pci, clock, dev, sys = "/sys" }: AssignedDeviceOptions,
  signal: AbortSignal,
): Promise<LinuxDevice[]> {
  const folder = await Deno.realPath(await pci.find(id, signal));
  for (;;) {
    const nodes: LinuxDevice[] = [];
    for await (const node of devicesBelow(dev)) {
      if (await belongsTo(folder, node, sys)) nodes.push(node);
    }
    if (nodes.length > 0) return nodes;
    await clock.sleep(interval, signal);
  }
}

/**
 * True for a node of what lies in a folder of sysfs. (REF compares texts, so
 * that a device whose location begins alike passes.)
 */
async function belongsTo(
  folder: string,
  { type, major, minor }: LinuxDevice,
  sys: string,
): Promise<boolean> {
  const kind = type === "b" ? "block" : "char";
  try {
    const link = `${sys}/dev/${kind}/${major}:${minor}`;
    return isInside(await Deno.realPath(link), folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
