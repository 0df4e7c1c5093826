/**
 * What a pod needs of the world around it.
 *
 * The aliases are internal to the documentation only: what they stand for is
 * documented in `controllers/linux_container`.
 *
 * @module
 */

import type {
  ContainerDependencies,
  LinuxContainer,
} from "../linux_container/mod.ts";

/**
 * What every container of a pod needs: host, guest and devices of the VM.
 *
 * @internal
 */
export type MemberDependencies = ContainerDependencies;

/**
 * A container of a pod.
 *
 * @internal
 */
export type PodContainer = LinuxContainer;

/** The network of a pod: a `NetworkController`. */
export interface PodNetwork {
  /**
   * Gives the VM its adapters.
   *
   * @param signal Prevents what has not begun.
   */
  setup(signal?: AbortSignal): Promise<void>;
  /** Takes them back. Idempotent; a failed call can be repeated. */
  teardown(): Promise<void>;
}

/** What a pod needs: what its containers need, and what it has as a whole. */
export interface PodDependencies extends MemberDependencies {
  /** GUID of the VM. */
  readonly runtimeId: string;
  /** Its network, which it owns; undefined when it has no namespace. */
  readonly network?: PodNetwork | undefined;
  /**
   * Whether the VM still runs, so that the order of deletes matters. Default:
   * it always does.
   */
  readonly isVmRunning?: () => boolean;
}
