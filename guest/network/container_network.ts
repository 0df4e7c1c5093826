/**
 * The network of a container: which files it sees, which interfaces it gets, and
 * what its end takes away (`spec/guest-runtime.md` 4.4, 5.1, 5.3 and 10.3).
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { containerAnnotations } from "../../oci/annotations.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import type { Container } from "../container.ts";
import type { GuestPorts } from "../ports.ts";
import type { Rollback } from "../rollback.ts";
import { wantsHostNetwork } from "../spec/annotations.ts";
import type { Dns } from "./dns.ts";
import type { NetworkNamespaces } from "./namespaces.ts";
import type { NetworkPlace } from "./stack.ts";

const noDns: Dns = { searches: [], servers: [] };

/** A sandbox of a virtual pod, or one that is told so, needs no namespace. */
function needsNoNamespace({ options }: Container): boolean {
  const { identity, spec } = options;
  const skip = spec.annotations?.[containerAnnotations.skipPodNetworking];
  return skip?.toLowerCase() === "true" || identity.kind === "virtual";
}

/** Without a network namespace of its own it runs in that of the VM. */
function sharesNetworkOfVm({ linux }: Spec): boolean {
  return !linux?.namespaces?.some(({ type }) => type === "network");
}

/**
 * Finds the namespace that the host means, before the interfaces are needed: a
 * host that gives a sandbox one has added its adapters before. A standalone
 * container makes it when it is missing, so that later adapters reach it.
 *
 * A container without a namespace id has no network, or that of the VM with the
 * adapters that are there; the peer refuses such a sandbox.
 *
 * @param container A sandbox or standalone container; its id is noted there.
 * @param rollback Forgets a namespace that was made here.
 * @returns What `resolv.conf` says.
 * @throws {HResultError} ElementNotFound.
 */
export function findNetwork(
  container: Container,
  networks: NetworkNamespaces,
  rollback: Rollback,
): Dns {
  const { spec, identity } = container.options;
  const id = spec.windows?.network?.networkNamespace?.toLowerCase() ?? "";
  container.networkNamespace = id;
  if (networks.find(id) === undefined) {
    if (id === "") return sharesNetworkOfVm(spec) ? networks.dnsOfVm : noDns;
    const mayMake = identity.role === "standalone" ||
      needsNoNamespace(container);
    if (mayMake) {
      rollback.add(
        "network namespace",
        () => networks.leave(id, container.id),
      );
      networks.getOrAdd(id);
    }
  }
  return networks.get(id).dns;
}

/** Holds the network of a container that has just been made. */
function holdPlace(container: Container, ports: GuestPorts): NetworkPlace {
  const { networks, log } = ports;
  const { id, init, options: { spec } } = container;
  if (wantsHostNetwork(spec.annotations, log)) return networks.kernel.vm;
  if (init === undefined || init.hasExited) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot give container "${id}" its network: its init has ended`,
    );
  }
  return networks.kernel.hold(init.pid);
}

/**
 * Gives a container the interfaces of its namespace. Workloads use those of
 * their sandbox. With the network of the VM, interfaces are configured in it.
 *
 * @param rollback Takes them away again.
 * @throws {ShimError} What the kernel refuses.
 */
export async function attachNetwork(
  container: Container,
  ports: GuestPorts,
  rollback: Rollback,
): Promise<void> {
  const { id, networkNamespace, options: { identity } } = container;
  if (identity.role === "workload") return;
  const namespace = ports.networks.find(networkNamespace);
  if (namespace === undefined) return; // looked for before, and not needed
  rollback.add("network", () => namespace.release(id));
  await namespace.attach(id, () => holdPlace(container, ports));
}

/**
 * Ends the use of a namespace by a container. That of a virtual pod is shared
 * with others and stays. Never rejects: the container is forgotten all the same.
 */
export async function detachNetwork(
  container: Container,
  { networks, log }: Pick<GuestPorts, "networks" | "log">,
): Promise<void> {
  const { id, networkNamespace, options: { identity } } = container;
  if (identity.role === "workload") return;
  try {
    if (identity.kind !== "virtual") await networks.leave(networkNamespace, id);
    else await networks.find(networkNamespace)?.release(id);
  } catch (error) {
    log.warn("Cannot release the network of a container", {
      cid: id,
      error: messageOf(error),
    });
  }
}
