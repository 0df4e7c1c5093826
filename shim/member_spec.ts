/**
 * The specification of a container whose pod is the sandbox itself: no sandbox
 * container holds its namespaces, the virtual machine does.
 *
 * @module
 */

import { containerAnnotations, cri } from "../oci/annotations.ts";
import type { LinuxNamespace, Mount, Spec } from "../oci/spec.gen.ts";

/** Namespaces that a container has for itself unless it asks to share them. */
const privateByDefault = ["ipc", "pid", "uts"];

const sharedMemory = "/dev/shm";

/** A path is of the client's host: it says that, not what, is to be shared. */
function joined(namespace: LinuxNamespace): LinuxNamespace {
  const { type, path } = namespace;
  return path && privateByDefault.includes(type)
    ? { type, path: `/proc/1/ns/${type}` }
    : namespace;
}

function namespacesOf(given: readonly LinuxNamespace[]): LinuxNamespace[] {
  const types = given.map(({ type }) => type);
  return [
    // Without an entry it is the machine's.
    ...given.filter(({ type, path }) => type !== "network" || !path)
      .map(joined),
    ...privateByDefault.filter((type) => !types.includes(type))
      .map((type) => ({ type })),
  ];
}

/** POSIX shared memory goes with the IPC namespace; clients send no other sign. */
function shared(mount: Mount): Mount {
  if (mount.destination !== sharedMemory || mount.type !== "tmpfs") {
    return mount;
  }
  // A type that the host leaves alone: the source is the machine's.
  return {
    destination: sharedMemory,
    type: "none",
    source: sharedMemory,
    options: ["rbind", "rw", "nosuid", "noexec", "nodev"],
  };
}

function withoutPod(
  annotations: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([name]) =>
      name !== cri.containerType && name !== cri.sandboxId
    ),
  );
}

/** True unless the container asks for a network of its own. */
export function sharesNetwork({ linux }: Spec): boolean {
  const given = linux?.namespaces ?? [];
  return !given.some(({ type, path }) => type === "network" && !path);
}

/** Has the guest configure the adapters of a namespace in the machine's network. */
function withNetwork(spec: Spec, networkNamespace: string): Spec {
  const { annotations, windows } = spec;
  if (networkNamespace === "") {
    return windows === undefined
      ? spec
      : { ...spec, windows: { ...windows, network: {} } };
  }
  return {
    ...spec,
    annotations: { ...annotations, [containerAnnotations.hostNetwork]: "true" },
    windows: { ...windows, network: { networkNamespace } },
  };
}

/**
 * The specification as the guest can run it.
 *
 * Network: that of the machine, unless the container asks for one of its own. IPC,
 * PID and UTS: its own, unless a path says that it is to be shared with the
 * other containers of the sandbox, hence with the machine; the path itself is one of
 * the client's host and means nothing in the machine. `/dev/shm` goes with IPC.
 *
 * @param spec As the client wrote it; left alone.
 * @param networkNamespace GUID of the network namespace that it names instead of
 * its own, so that the machine's network gets the adapters; empty for none.
 * Undefined leaves what it names.
 */
export function memberSpec(spec: Spec, networkNamespace?: string): Spec {
  const member = ofMember(spec);
  return networkNamespace === undefined
    ? member
    : withNetwork(member, networkNamespace);
}

function ofMember(spec: Spec): Spec {
  const given = spec.linux?.namespaces ?? [];
  const sharesIpc = given.some(({ type, path }) => type === "ipc" && path);
  return {
    ...spec,
    linux: { ...spec.linux, namespaces: namespacesOf(given) },
    ...(spec.annotations === undefined
      ? {}
      : { annotations: withoutPod(spec.annotations) }),
    ...(sharesIpc && spec.mounts !== undefined
      ? { mounts: spec.mounts.map(shared) }
      : {}),
  };
}
