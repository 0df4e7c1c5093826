/**
 * The network of a sandbox without a sandbox container: the VM itself has it, and
 * the containers share it.
 *
 * @module
 */

import { abortable } from "../base/clock.ts";
import type { Network } from "./runtime.ts";

/**
 * The adapters of the sandbox's namespace. They stay until the VM ends, whichever
 * containers come and go.
 *
 * A guest configures an adapter when a container is created that names its
 * namespace: in the VM's own network when the container asks for that. Microsoft's
 * guest would do so for every such container anew, and fail at the addresses that
 * are there. Hence one container names the namespace, and the others find its
 * interfaces where they run.
 */
export class SandboxNetwork {
  readonly #network: Network;
  #setup: Promise<void> | undefined;
  /** Settles when the container that names the namespace is created, or is not. */
  #naming: Promise<void> | undefined;
  #isConfigured = false;

  /** @param network Its adapters, which are not set up. */
  constructor(network: Network) {
    this.#network = network;
  }

  /**
   * Gives the VM its adapters, once; whoever comes later waits for that.
   *
   * @param signal Of the first caller: prevents what has not begun.
   * @throws {ShimError} What host or guest answered, for every caller. The VM is to
   * be ended then, and what it has got with it.
   */
  setup(signal: AbortSignal): Promise<void> {
    return this.#setup ??= this.#network.setup(signal);
  }

  /**
   * Creates a container that shares the network.
   *
   * @param create Is told the namespace that the container has to name; empty when
   * it is not to name one.
   * @param signal Ends the wait for adapters, and for a container that comes first.
   * @throws {ShimError} What `setup` or `create` threw.
   */
  async join(
    create: (namespaceId: string) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    await abortable(this.setup(signal), signal);
    while (this.#naming !== undefined) await abortable(this.#naming, signal);
    if (this.#isConfigured) return await create("");
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#naming = promise;
    try {
      await create(this.#network.namespaceId);
      this.#isConfigured = true;
    } finally {
      this.#naming = undefined;
      resolve();
    }
  }
}
