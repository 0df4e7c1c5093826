/**
 * From the host's specification to the runtime's, per kind of container
 * (`spec/guest-runtime.md` 5).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Mount, Spec } from "../../oci/spec.gen.ts";
import type { Container } from "../container.ts";
import type { Dns } from "../network/dns.ts";
import { findNetwork } from "../network/container_network.ts";
import type { Pods } from "../pods.ts";
import type { GuestPorts } from "../ports.ts";
import type { Rollback } from "../rollback.ts";
import { refuseLinks, writeNewFile } from "../storage/paths.ts";
import { unmountAll } from "../storage/unmount.ts";
import {
  applyCoreLimit,
  applyShmAndDevices,
  applyUser,
  isPrivileged,
} from "./annotations.ts";
import { addAssignedDevices } from "./assigned_devices.ts";
import { confineMounts } from "./confined_mounts.ts";
import { addSevDevice } from "./devices.ts";
import { addGpuHook } from "./gpu_hook.ts";
import { rewriteMounts } from "./mounts.ts";
import { networkFilePath, networkFiles } from "./pod_files.ts";
import { hostsFile, requireHostname, resolvConf } from "./network_files.ts";

/** What setting up a container works with. */
export interface SetupContext {
  /** The container, registered, in state Creating. */
  readonly container: Container;
  /** The pods of the VM. */
  readonly pods: Pods;
  /** The VM. */
  readonly ports: GuestPorts;
  /** Undoes everything that setting up does. */
  readonly rollback: Rollback;
}

/**
 * Sets a container up according to its role. The specification then is ready
 * for the runtime, except for what concerns all roles alike.
 *
 * @throws {ShimError} What is wrong with the specification, or cannot be made.
 */
export async function setUp(context: SetupContext): Promise<void> {
  const { identity: { role }, spec } = context.container.options;
  await confineMounts(spec);
  if (role === "sandbox") await setUpSandbox(context);
  else if (role === "workload") await setUpWorkload(context);
  else await setUpStandalone(context);
  if (role !== "workload" && (spec.windows?.devices?.length ?? 0) > 0) {
    context.ports.log.warn("Only workloads get assigned devices", {
      cid: context.container.id,
    });
  }
  await offerMounts(context);
  delete spec.windows;
}

/** Tells the policy which mounts are the guest's own, not the host's. */
async function offerMounts({ container, ports }: SetupContext): Promise<void> {
  const { id, sandboxRoot, options: { spec } } = container;
  const mounts = networkFiles
    .map((name) => bindOfNetworkFile(sandboxRoot, name, spec));
  await ports.policy.ask({ name: "default mounts", id, mounts });
}

/** Makes a folder; undone with everything in it. */
async function makeRoot(path: string, rollback: Rollback): Promise<void> {
  try {
    await Deno.lstat(path);
    return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(path, { recursive: true, mode: 0o755 });
  rollback.add(`folder ${path}`, () => Deno.remove(path, { recursive: true }));
}

function hostnameOf(context: SetupContext): string {
  const { container, ports } = context;
  const given = container.options.spec.hostname ?? "";
  requireHostname(given);
  return given === "" ? ports.hostname() : given;
}

/** Text of one of the {@linkcode networkFiles}. */
function networkFile(
  name: (typeof networkFiles)[number],
  hostname: string,
  dns: Dns,
): string {
  if (name === "hostname") return `${hostname}\n`;
  return name === "hosts"
    ? hostsFile(hostname)
    : resolvConf(dns.searches, dns.servers);
}

function bindOfNetworkFile(
  root: string,
  name: (typeof networkFiles)[number],
  spec: Spec,
): Mount {
  return {
    destination: `/etc/${name}`,
    type: "bind",
    source: networkFilePath(root, name),
    options: spec.root?.readonly ? ["bind", "ro"] : ["bind"],
  };
}

function hasMount(spec: Spec, destination: string): boolean {
  return (spec.mounts ?? []).some((mount) => mount.destination === destination);
}

async function setUpSandbox(context: SetupContext): Promise<void> {
  const { container, pods, ports, rollback } = context;
  const { id, options: { spec, bundle, identity } } = container;
  const { virtualPodId } = identity;
  if (pods.has(id)) {
    // Nothing of the other owner may be touched.
    throw new ShimError("AlreadyExists", `Pod "${id}" already exists`);
  }
  const root = pods.registerSandboxRoot(id, bundle, virtualPodId);
  rollback.add(
    "sandbox root",
    () => Promise.resolve(pods.unregisterSandboxRoot(id)),
  );
  container.sandboxRoot = root;
  // That of a virtual pod lies outside of the bundle.
  await refuseLinks(root);
  await makeRoot(root, rollback);
  const hostname = hostnameOf(context);
  const dns = findNetwork(container, ports.networks, rollback);
  for (const name of networkFiles) {
    const text = networkFile(name, hostname, dns);
    await writeNewFile(networkFilePath(root, name), text, 0o644);
  }
  await applyUser(spec);
  applyCoreLimit(spec);
  spec.linux ??= {};
  spec.linux.cgroupsPath = `/pods/${id}/${id}`;
  rollback.add("sandbox mounts", () => ports.sandboxMounts.remove(root));
  await ports.sandboxMounts.make(root);
  await pods.create(id, spec.linux.resources);
  rollback.add("pod", () => pods.leave(id, id));
}

async function setUpWorkload(context: SetupContext): Promise<void> {
  const { container, pods, ports, rollback } = context;
  const { id, options: { spec, bundle, identity } } = container;
  const { sandboxId } = identity;
  pods.join(sandboxId, id);
  rollback.add("pod membership", () => pods.leave(sandboxId, id));
  const root = pods.rootOf(identity, bundle);
  container.sandboxRoot = root;
  if (spec.hostname) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot create container "${id}": workload container must not change ` +
        `hostname: ${spec.hostname}`,
    );
  }
  await rewriteMounts(spec, {
    sandboxRoot: root,
    mounting: (path) =>
      rollback.add(
        `mount ${path}`,
        () => unmountAll(path, { remove: true, log: ports.log }),
      ),
  });
  for (const name of networkFiles) {
    if (hasMount(spec, `/etc/${name}`)) continue;
    spec.mounts ??= [];
    spec.mounts.push(bindOfNetworkFile(root, name, spec));
  }
  await applyShmAndDevices(spec, ports.log);
  applyCoreLimit(spec);
  await applyUser(spec);
  spec.linux ??= {};
  spec.linux.cgroupsPath = `/pods/${sandboxId}/${id}`;
  const { clock, env, log, storage: { confidential, pci }, timeouts } = ports;
  await addGpuHook(spec, { pci, bundle, env });
  await addAssignedDevices(spec, {
    ...{ pci, clock, log },
    timeout: timeouts.pciWait,
  });
  const needsReports = confidential.isActive && !isPrivileged(spec, log);
  if (needsReports) await addSevDevice(spec, log);
}

async function setUpStandalone(context: SetupContext): Promise<void> {
  const { container, pods, ports, rollback } = context;
  const { id, options: { spec, bundle, identity } } = container;
  const root = pods.rootOf(identity, bundle);
  container.sandboxRoot = root;
  await makeRoot(root, rollback);
  const hostname = hostnameOf(context);
  const dns = findNetwork(container, ports.networks, rollback);
  for (const name of networkFiles) {
    if (hasMount(spec, `/etc/${name}`)) continue;
    const text = networkFile(name, hostname, dns);
    await writeNewFile(networkFilePath(root, name), text, 0o644);
    spec.mounts ??= [];
    spec.mounts.push(bindOfNetworkFile(root, name, spec));
  }
  spec.linux ??= {};
  spec.linux.cgroupsPath = `/pods/${id}`;
}
