/**
 * Pods: which containers belong together, where their shared files are, and
 * their control group. One model for all kinds of pods
 * (`spec/guest-runtime.md` 15).
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import {
  containerAnnotations,
  cri,
  wrongAnnotation,
} from "../oci/annotations.ts";
import type { LinuxResources } from "../oci/spec.gen.ts";
import type { CgroupTree } from "./cgroup/tree.ts";
import { parentOf } from "./storage/paths.ts";

/** Which layout of paths the host uses. */
export type PodKind = "v1" | "virtual" | "v2" | "standalone";

/** A container's place. */
export type ContainerRole = "sandbox" | "workload" | "standalone";

/** Where a container belongs. */
export interface PodIdentity {
  /** Layout of the pod. */
  readonly kind: PodKind;
  /** Place of the container. */
  readonly role: ContainerRole;
  /** Id of its pod; its own for a standalone container. */
  readonly sandboxId: string;
  /** Id of the virtual pod; empty when it is none. */
  readonly virtualPodId: string;
}

/** Folder of the containers of hosts with the first layout. */
const legacyRoot = "/run/gcs/c";
const v2Root = "/run/gcs/pods";

/**
 * Checks the id of a virtual pod before it becomes a path: one plain component.
 *
 * @throws {ShimError} InvalidArgument.
 */
export function requireVirtualPodId(id: string): void {
  const plain = id !== "" && id !== "." && !id.includes("..") &&
    !id.includes("/") && !id.includes("\0");
  if (plain) return;
  throw new ShimError(
    "InvalidArgument",
    `Invalid virtual pod id ${JSON.stringify(id)}: path traversal; use one ` +
      "plain name",
  );
}

/**
 * Where a container belongs, by its annotations.
 *
 * @throws {ShimError} InvalidArgument when they make no sense.
 */
export function resolvePodIdentity(
  id: string,
  bundle: string,
  annotations: Readonly<Record<string, string>> = {},
): PodIdentity {
  const virtualPodId = annotations[containerAnnotations.virtualPodId] ?? "";
  if (virtualPodId !== "") requireVirtualPodId(virtualPodId);
  const isVirtual = virtualPodId !== "";
  const type = isVirtual && id === virtualPodId
    ? "sandbox"
    : annotations[cri.containerType];
  if (type !== undefined && type !== "sandbox" && type !== "container") {
    throw new ShimError(
      "InvalidArgument",
      `Unsupported container type: ${
        wrongAnnotation(cri.containerType, type, '"sandbox" or "container"')
      }`,
    );
  }
  const role = type === undefined
    ? "standalone"
    : type === "sandbox"
    ? "sandbox"
    : "workload";
  const sandboxId = isVirtual
    ? virtualPodId
    : role === "workload"
    ? annotations[cri.sandboxId] ?? ""
    : id;
  if (role === "sandbox" && sandboxId !== id) {
    // Its root would lie under its own id and its pod under another one.
    throw new ShimError(
      "InvalidArgument",
      `Sandbox "${id}" cannot be that of virtual pod "${virtualPodId}"`,
    );
  }
  if (sandboxId === "") {
    throw new ShimError(
      "InvalidArgument",
      `Workload container "${id}" has no annotation ${cri.sandboxId}`,
    );
  }
  const kind = isVirtual
    ? "virtual"
    : bundle === v2Root || bundle.startsWith(`${v2Root}/`)
    ? "v2"
    : role === "standalone"
    ? "standalone"
    : "v1";
  return { kind, role, sandboxId, virtualPodId };
}

/** One pod. */
interface Pod {
  /** Path of its control group. */
  readonly cgroup: string;
  /** Ids of its containers; the sandbox is the first. */
  readonly containers: Set<string>;
}

/** The pods of this VM. */
export class Pods {
  readonly #cgroups: CgroupTree;
  readonly #log: Logger;
  readonly #pods = new Map<string, Pod>();
  readonly #roots = new Map<string, string>();

  /** @param options Control groups and log. */
  constructor(options: { readonly cgroups: CgroupTree; readonly log: Logger }) {
    this.#cgroups = options.cgroups;
    this.#log = options.log;
  }

  /** Ids of the pods and of their containers, for a dump. */
  get entries(): readonly (readonly [string, readonly string[]])[] {
    return [...this.#pods].map(([id, { containers }]) => [id, [...containers]]);
  }

  /**
   * Remembers where the shared files of a pod are.
   *
   * @param virtualPodId Empty unless the pod is virtual.
   * @returns The folder.
   * @throws {ShimError} InvalidArgument for the id of a virtual pod that is no
   * plain name, AlreadyExists when the folder is another pod's.
   */
  registerSandboxRoot(
    sandboxId: string,
    bundle: string,
    virtualPodId = "",
  ): string {
    if (virtualPodId !== "") requireVirtualPodId(virtualPodId);
    const root = virtualPodId === ""
      ? bundle
      : `${parentOf(bundle)}/virtual-pods/${virtualPodId}`;
    for (const [other, its] of this.#roots) {
      if (its !== root || other === sandboxId) continue;
      throw new ShimError(
        "AlreadyExists",
        `Pod "${sandboxId}" cannot use folder "${root}": pod "${other}" does`,
      );
    }
    this.#roots.set(sandboxId, root);
    return root;
  }

  /**
   * Root of the shared files of a container: a workload has its sandbox's, a
   * standalone container its bundle.
   */
  rootOf({ role, sandboxId }: PodIdentity, bundle: string): string {
    return role === "standalone" ? bundle : this.sandboxRoot(sandboxId);
  }

  /** Where the shared files of a pod are; hosts of old never registered them. */
  sandboxRoot(sandboxId: string): string {
    const root = this.#roots.get(sandboxId);
    if (root !== undefined) return root;
    const fallback = `${legacyRoot}/${sandboxId}`;
    this.#log.warn("Sandbox root not registered", { pod: sandboxId, fallback });
    return fallback;
  }

  /** Forgets where the shared files of a pod are. Idempotent. */
  unregisterSandboxRoot(sandboxId: string): void {
    this.#roots.delete(sandboxId);
  }

  /** True when there is such a pod. */
  has(sandboxId: string): boolean {
    return this.#pods.has(sandboxId);
  }

  /**
   * Makes a pod with its sandbox as the first member.
   *
   * @param resources Limits of the whole pod.
   * @throws {ShimError} AlreadyExists (the other pod is untouched), or the
   * reason why the control group cannot be made (nothing stays behind).
   */
  async create(
    sandboxId: string,
    resources: LinuxResources = {},
  ): Promise<void> {
    if (this.#pods.has(sandboxId)) {
      throw new ShimError("AlreadyExists", `Pod "${sandboxId}" already exists`);
    }
    const cgroup = `/pods/${sandboxId}`;
    this.#pods.set(sandboxId, { cgroup, containers: new Set([sandboxId]) });
    try {
      await this.#cgroups.create(cgroup, resources);
    } catch (error) {
      this.#pods.delete(sandboxId);
      throw error;
    }
  }

  /**
   * Adds a workload to a pod.
   *
   * @throws {ShimError} NotFound, AlreadyExists.
   */
  join(sandboxId: string, id: string): void {
    const pod = this.#pods.get(sandboxId);
    if (pod === undefined) {
      throw new ShimError(
        "NotFound",
        `Pod "${sandboxId}" does not exist for workload container "${id}"`,
      );
    }
    if (pod.containers.has(id)) {
      throw new ShimError(
        "AlreadyExists",
        `Container "${id}" is already in pod "${sandboxId}"`,
      );
    }
    pod.containers.add(id);
  }

  /** Takes a container out of a pod; the sandbox takes the pod with it. */
  async leave(sandboxId: string, id: string): Promise<void> {
    const pod = this.#pods.get(sandboxId);
    pod?.containers.delete(id);
    if (pod === undefined || id !== sandboxId) return;
    this.#pods.delete(sandboxId);
    try {
      await this.#cgroups.remove(pod.cgroup);
    } catch (error) {
      const message = messageOf(error);
      this.#log.warn("Pod cgroup is left", { pod: sandboxId, error: message });
    }
  }
}
