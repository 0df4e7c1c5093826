/**
 * A container as a member of its pod.
 *
 * @module
 */

import type { ProcessStatus } from "../process/mod.ts";
import {
  type ContainerDependencies,
  type ContainerIds,
  LinuxContainer,
} from "../linux_container/mod.ts";

/** What a pod has to say about the deletion of its members. */
export interface Membership {
  /** Called before a member is deleted. @throws {ShimError} When it must stay. */
  leaving(id: string): void;
  /** Called when the delete of a member that was leaving has failed. */
  stays(id: string): void;
  /** Called when a member is deleted; the delete fails with it, and is repeated. */
  left(): Promise<void>;
}

/** A container whose delete is also an affair of its pod. */
export class Member extends LinuxContainer {
  readonly #membership: Membership;
  #isDeleted = false;
  /** Its last status, until the pod is done with its leaving, too. */
  #leaving: ProcessStatus | undefined;

  /**
   * @param deps Host and guest.
   * @param ids Which container it is.
   * @param membership Its pod.
   */
  constructor(
    deps: ContainerDependencies,
    ids: ContainerIds,
    membership: Membership,
  ) {
    super(deps, ids);
    this.#membership = membership;
  }

  /** True when nothing of it is left but its entry in the pod. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  /**
   * Deletes a process; with init goes the container, and with the pod's last
   * container the pod's network. See {@linkcode LinuxContainer.deleteProcess}; a
   * call that failed at the network is repeated there, and gives the same status.
   */
  override async deleteProcess(execId: string): Promise<ProcessStatus> {
    if (execId !== "") return await super.deleteProcess(execId);
    let status = this.#leaving;
    if (status === undefined) {
      this.#membership.leaving(this.id);
      try {
        status = this.#leaving = await super.deleteProcess(execId);
      } catch (error) {
        this.#membership.stays(this.id);
        throw error;
      }
      this.#isDeleted = true;
    }
    await this.#membership.left();
    this.#leaving = undefined;
    return status;
  }
}
