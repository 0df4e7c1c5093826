/**
 * The specification of a container as the guest gets it: paths of the guest, and
 * nothing that is the host's business.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { containerAnnotations, cri, parseBool } from "./annotations.ts";
import type {
  Linux,
  LinuxCPU,
  LinuxResources,
  Spec,
  Windows,
} from "./spec.gen.ts";

/** Microseconds of a CPU period when it is given as 0 (Linux' own default). */
const defaultPeriod = 100_000n;

/** Where a container is in the guest. */
export interface GuestPlace {
  /** Its root file system. */
  readonly rootfs: string;
  /** Its pod, as the guest calls it. */
  readonly podId: string;
}

/** The error for a specification that is not for Linux. */
export function missingLinux(): ShimError {
  return new ShimError(
    "InvalidArgument",
    "linux section must be present for lcow container: this shim runs Linux containers only",
  );
}

/** Zero means "no limit" to users, but nothing to the guest's runtime. */
function guestCpu(cpu: LinuxCPU): LinuxCPU {
  return {
    ...cpu,
    ...(cpu.period === 0n ? { period: defaultPeriod } : {}),
    ...(cpu.quota === 0n ? { quota: -1n } : {}),
  };
}

/** The guest decides about devices and about what its cgroups cannot do. */
function guestResources(resources: LinuxResources): LinuxResources {
  const {
    devices: _devices,
    pids: _pids,
    blockIO: _blockIO,
    hugepageLimits: _hugepageLimits,
    network: _network,
    ...kept
  } = resources;
  return kept.cpu === undefined ? kept : { ...kept, cpu: guestCpu(kept.cpu) };
}

function guestLinux(linux: Linux, isPrivileged: boolean): Linux {
  const { cgroupsPath: _cgroupsPath, seccomp, resources, ...kept } = linux;
  return {
    ...kept,
    ...(resources === undefined
      ? {}
      : { resources: guestResources(resources) }),
    ...(seccomp === undefined || isPrivileged ? {} : { seccomp }),
  };
}

/** Network namespace and devices are all that the guest knows of Windows. */
function guestWindows(windows: Windows | undefined): { windows?: Windows } {
  const networkNamespace = windows?.network?.networkNamespace;
  const devices = windows?.devices ?? [];
  if (!networkNamespace && devices.length === 0) return {};
  return {
    windows: {
      layerFolders: null, // Microsoft's guest decodes a list that is always there
      ...(devices.length === 0 ? {} : { devices }),
      ...(networkNamespace ? { network: { networkNamespace } } : {}),
    },
  };
}

/**
 * Rewrites a specification for the guest. The argument is left alone.
 *
 * @param spec The specification, its mounts already in terms of the guest.
 * @param place Where the container is in the guest.
 * @throws {ShimError} InvalidArgument without a linux section.
 */
export function guestSpec(spec: Spec, { rootfs, podId }: GuestPlace): Spec {
  const { hooks: _hooks, windows, linux, annotations, ...kept } = spec;
  if (linux === undefined) throw missingLinux();
  const isPrivileged =
    parseBool(annotations?.[containerAnnotations.privileged] ?? "") === true;
  const isInPod = annotations?.[cri.sandboxId] !== undefined;
  return {
    ...kept,
    root: { ...spec.root, path: rootfs },
    linux: guestLinux(linux, isPrivileged),
    ...(annotations === undefined ? {} : {
      annotations: isInPod
        ? { ...annotations, [cri.sandboxId]: podId }
        : annotations,
    }),
    ...guestWindows(windows),
  };
}
