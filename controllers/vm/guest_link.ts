/**
 * What joins the host to the guest of one VM: the bridge and the log.
 *
 * @module
 */

import { deadline } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { Ledger } from "../../base/ledger.ts";
import { noTracer } from "../../base/trace.ts";
import { GuestConnection } from "../../bridge/connection.ts";
import { BridgeGuest, type Guest } from "../../bridge/guest.ts";
import type { ComputeSystem } from "../../hcs/ports.ts";
import { bootVm } from "./boot_sequence.ts";
import type { VmDependencies } from "./dependencies.ts";
import { relayGuestLog } from "./log_relay.ts";

/** Boots a VM, and holds its bridge and its log until the VM has ended. */
export class GuestLink {
  readonly #deps: VmDependencies;
  readonly #id: string;
  readonly #system: ComputeSystem;
  readonly #ledger: Ledger<"connection" | "log">;
  #isClosed = false;

  /**
   * @param deps What the VM's controller has.
   * @param id Id of the VM, for logs.
   * @param system The VM.
   */
  constructor(deps: VmDependencies, id: string, system: ComputeSystem) {
    this.#deps = deps;
    this.#id = id;
    this.#system = system;
    this.#ledger = new Ledger(["connection", "log"]);
  }

  /** True from the first {@linkcode GuestLink.close} on. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Starts the VM and shakes hands with its agent.
   *
   * @param signal Ends the boot.
   * @returns The agent. On a failure the bridge is closed, while the log goes
   * on: it may tell why.
   */
  async open(signal: AbortSignal): Promise<Guest> {
    const { host: { sockets }, log, clock, timeouts } = this.#deps;
    const { tracer = noTracer, onLogDropped: onDropped, sandboxId } =
      this.#deps;
    const vmId = this.#id;
    const phase = <T>(name: string, task: () => Promise<T>): Promise<T> =>
      tracer.span("vm", name, { "uvm-id": vmId }, task);
    const streams = await phase(
      "boot",
      () => bootVm(this.#system, sockets, signal, log),
    );
    const ids = {
      "uvm-id": vmId,
      ...(sandboxId !== undefined && { "sandbox-id": sandboxId }),
    };
    const relayed = relayGuestLog(streams.log, { log, clock, ids, onDropped });
    this.#ledger.add({
      kind: "log",
      key: this.#id,
      release: async () => {
        await this.#drain(relayed);
        await streams.log.close();
      },
    });
    try {
      const options = { log, clock, timeouts, signal, tracer };
      const connection = await phase(
        "handshake",
        () => GuestConnection.open(streams.bridge, options),
      );
      this.#ledger.add({
        kind: "connection",
        key: this.#id,
        release: () => connection.close(),
      });
      // Nobody may wait for this any more: the deadline has passed, say.
      signal.throwIfAborted();
      return new BridgeGuest(
        connection,
        (port) => sockets.listen(this.#system.runtimeId, port),
      );
    } catch (error) {
      await streams.bridge.close();
      if (this.#isClosed) await this.close();
      throw error;
    }
  }

  /**
   * Closes the bridge, which ends every wait for the guest, and the log once it
   * is written. Never rejects: what cannot be closed is logged and tried again
   * by the next call.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.#ledger.release();
    } catch (error) {
      this.#deps.log.warn("Cannot close the connections of the VM", {
        "uvm-id": this.#id,
        error: messageOf(error),
      });
    }
  }

  /** The log of a VM that has ended comes to its end soon, or never. */
  async #drain(relayed: Promise<void>): Promise<void> {
    const { clock, timeouts, log } = this.#deps;
    const what = `The end of the log of VM "${this.#id}"`;
    try {
      await deadline(clock, timeouts.drainGrace, what, () => relayed);
    } catch (error) {
      log.warn("The guest's log is cut off", { error: messageOf(error) });
    }
  }
}
