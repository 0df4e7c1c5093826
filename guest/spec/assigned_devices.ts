/**
 * PCI devices that the host assigned to the VM for a workload
 * (`spec/guest-runtime.md` 7.4).
 *
 * @module
 */

import { type Clock, deadline } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { LinuxDevice, Spec } from "../../oci/spec.gen.ts";
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
  const { clock, timeout, log } = options;
  let searched = "";
  const what = "The search for assigned devices";
  try {
    await deadline(clock, timeout, what, async (signal) => {
      for (const { id, idType } of spec.windows?.devices ?? []) {
        const kind = kinds[idType];
        if (kind === undefined) {
          log.warn("Assigned device of an unknown kind", { id, idType });
        }
        if (kind !== "nodes") continue;
        searched = id;
        for (const node of await nodesOf(id, options, signal)) {
          addDevice(spec, node, true);
        }
      }
    });
  } catch (cause) {
    const isTimeout = cause instanceof DOMException &&
      cause.name === "TimeoutError";
    if (!isTimeout) throw cause;
    throw new ShimError(
      "DeadlineExceeded",
      `Cannot give the container the assigned device "${searched}": no node ` +
        `of it appeared within ${timeout} ms`,
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
