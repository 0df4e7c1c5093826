/**
 * Pods: the containers that share a network and are ended together.
 *
 * **Purpose.** A {@linkcode PodController} is the registry of the containers of
 * one pod, and owns the pod's network. What concerns the pod as a whole goes through
 * it: listing, killing all, the order of deletes, the network's beginning and end. A
 * standalone container is a pod of one.
 *
 * **Ownership.** A VM has any number of pods; each has its own containers, its own
 * network ({@linkcode PodNetwork}) or none, and its own paths in the guest, which
 * follow from its id. Devices belong to the VM, and pods share them.
 *
 * **Life cycle.** A pod has no states of its own: it is there from its
 * construction until its owner forgets it. Its network is set up once, before the
 * first container, and taken down with the last one.
 *
 * **Order.** `setupNetwork` → `newContainer` → the container's own life → its
 * `deleteProcess("")`, which takes the network down after the last container →
 * `remove`. The sandbox container, whose id is that of the pod, is deleted last
 * while the VM runs ({@linkcode PodController.requireLast}); as soon as that
 * begins, and unless it fails, `newContainer` is refused. A pod that never got a
 * container, because its first one could not be created, is ended by
 * `teardownNetwork`.
 *
 * **Idempotency.** `setupNetwork` is one setup, however often it is called; a pod
 * whose network was taken down refuses it.
 * `teardownNetwork` may be repeated, and so may the delete of a container: one
 * that failed at the network goes on there and gives the same last status.
 *
 * **Concurrency.** The registry answers at once, and copies. Containers have
 * queues of their own; nothing in the pod holds one up for another. Of several
 * deletes at the same time the one that finishes last takes the network down.
 *
 * @example A pod with a network, from its beginning to its end
 * ```ts
 * import { ContainerWorld } from "../testing/container_world.ts";
 * import { FakePodNetwork } from "./testing.ts";
 * const network = new FakePodNetwork();
 * const world = new ContainerWorld({ exitOnKill: true }, undefined, false, {
 *   network,
 * });
 * await world.pod.setupNetwork();
 * await world.run();
 * await world.pod.killAll(9);
 * await world.container.deleteProcess("");
 * world.pod.remove("web");
 * console.assert(network.said().join() === "setup,teardown");
 * ```
 *
 * @module
 */

export { PodController } from "./controller.ts";
export type {
  MemberDependencies,
  PodContainer,
  PodDependencies,
  PodNetwork,
} from "./dependencies.ts";
