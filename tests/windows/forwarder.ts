/**
 * The Linux side of the fake DLLs: answers their frames from a
 * {@linkcode ComputeHost} and a {@linkcode NetworkService}.
 *
 * @module
 */

import { connDuplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { HResultError } from "../../base/hresult.ts";
import type { ComputeHost } from "../../hcs/ports.ts";
import { computeCoreFront } from "./computecore_front.ts";
import {
  computeNetworkFront,
  type NetworkService,
} from "./computenetwork_front.ts";
import {
  encodeEvent,
  encodeReply,
  type NativeCall,
  type NativeReply,
  readCalls,
} from "./frames.ts";
import { type Emit, failedReply, type Front } from "./front.ts";
import { MemoryNetwork } from "./memory_network.ts";
import { vmComputeFront } from "./vmcompute_front.ts";

/** A running forwarder. */
export interface Forwarder extends AsyncDisposable {
  /** Its TCP port on the loopback address: `LCOW_FORWARDER_PORT`. */
  readonly port: number;
  /**
   * Functions that fail at once with a code, whatever they are called with: by
   * name, for example `HcsStartLiveMigrationOnSource`, or `computecore.dll/HcsStartComputeSystem`
   * where both DLLs have one.
   */
  readonly refused: Map<string, number>;
  /**
   * Handles that callers have not closed, those of processes that ended included.
   *
   * @param kind `system`, `callback`, `operation`, `namespace`, `endpoint` or `network`; default is all.
   */
  openHandles(kind?: string): number;
}

/** What the DLLs are about. */
export interface ForwarderOptions {
  /** Behind `computenetwork.dll`; default is a {@linkcode MemoryNetwork}. */
  readonly network?: NetworkService;
}

type MakeFront = (emit: Emit) => Front;

class Session {
  readonly #stream;
  readonly #fronts: Readonly<Record<string, MakeFront>>;
  readonly #refused: ReadonlyMap<string, number>;
  readonly #running = new Set<Promise<void>>();
  #sent: Promise<unknown> = Promise.resolve();
  #dll = "";
  #front: Front | undefined;
  /** What was open when the process ended. */
  #left: Readonly<Record<string, number>> | undefined;

  constructor(
    conn: Deno.TcpConn,
    fronts: Readonly<Record<string, MakeFront>>,
    refused: ReadonlyMap<string, number>,
  ) {
    conn.setNoDelay();
    this.#stream = connDuplex(conn);
    this.#fronts = fronts;
    this.#refused = refused;
  }

  get openHandles(): Readonly<Record<string, number>> {
    return this.#left ?? this.#front?.openHandles() ?? {};
  }

  async serve(): Promise<void> {
    try {
      for await (const call of readCalls(this.#stream)) {
        if (call.call === 0) this.#greet(call.function);
        else this.#begin(call);
      }
    } finally {
      await Promise.all(this.#running);
      this.#left = this.openHandles;
      await this.#front?.close();
      await this.#sent;
      await this.#stream.close();
    }
  }

  close(): Promise<void> {
    return this.#stream.close();
  }

  #greet(dll: string): void {
    this.#dll = dll;
    this.#front = this.#fronts[dll]?.((event) =>
      this.#send(encodeEvent(event))
    );
  }

  #send(frame: Uint8Array<ArrayBuffer>): void {
    // A peer that is gone reads nothing; its loss ends the reading.
    this.#sent = this.#sent.then(() => this.#stream.write(frame))
      .catch(() => {});
  }

  #begin(call: NativeCall): void {
    const task = this.#answer(call)
      .then((reply) => this.#send(encodeReply(call.call, reply)))
      .finally(() => this.#running.delete(task));
    this.#running.add(task);
  }

  async #answer(call: NativeCall): Promise<NativeReply> {
    try {
      const { function: name } = call;
      const code = this.#refused.get(`${this.#dll}/${name}`) ??
        this.#refused.get(name);
      if (code !== undefined) throw new HResultError(code, `No ${name} here`);
      if (this.#front !== undefined) return await this.#front.call(call);
      throw new ShimError("NotImplemented", `No DLL "${this.#dll}" here`);
    } catch (error) {
      return failedReply(error);
    }
  }
}

/**
 * Serves fake DLLs on the loopback address.
 *
 * @param host Behind `vmcompute.dll` and `computecore.dll`.
 */
export function forward(
  host: ComputeHost,
  options: ForwarderOptions = {},
): Forwarder {
  const network = options.network ?? new MemoryNetwork();
  const fronts: Readonly<Record<string, MakeFront>> = {
    "vmcompute.dll": (emit) => vmComputeFront(host, emit),
    "computecore.dll": (emit) => computeCoreFront(host, emit),
    "computenetwork.dll": () => computeNetworkFront(network),
  };
  const refused = new Map<string, number>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const sessions: Session[] = [];
  const served: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const conn of listener) {
      const session = new Session(conn, fronts, refused);
      sessions.push(session);
      served.push(session.serve());
    }
  })();
  return {
    port: listener.addr.port,
    refused,
    openHandles: (kind) =>
      sessions.flatMap(({ openHandles }) => Object.entries(openHandles))
        .filter(([name]) => kind === undefined || name === kind)
        .reduce((sum, [, count]) => sum + count, 0),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      await Promise.all(sessions.map((session) => session.close()));
      await Promise.all(served);
    },
  };
}
