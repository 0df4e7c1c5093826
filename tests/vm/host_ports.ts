/**
 * The host's ports for a machine that reaches them over TCP
 * (`guest/stand_in.ts`): every connection says first which port it means.
 *
 * @module
 */

import {
  connDuplex,
  type Duplex,
  type DuplexListener,
  readFull,
} from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { AsyncQueue } from "../../base/queue.ts";

/** Connections of one port that wait at most. */
const waiting = 64;

/** One port. Connections wait until they are accepted. */
interface Port extends DuplexListener {
  readonly arrived: (stream: Duplex) => void;
}

/** Ports of one machine's host. */
export class HostPorts {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ports = new Map<number, Port>();
  readonly #accepting: Promise<void>;
  readonly #arriving = new Set<Promise<void>>();

  /** Listens on a free port of TCP. */
  constructor() {
    this.#accepting = this.#accept();
  }

  /** The port of TCP. */
  get tcpPort(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    // Ends when the listener is closed.
    for await (const conn of this.#listener) {
      conn.setNoDelay();
      const arrival = this.#sort(connDuplex(conn));
      this.#arriving.add(arrival);
      void arrival.then(() => this.#arriving.delete(arrival));
    }
  }

  /** A connection to a port that nobody listens on is closed. Never rejects. */
  async #sort(stream: Duplex): Promise<void> {
    const bytes = new Uint8Array(4);
    const isWhole = await readFull(stream, bytes).catch(() => false);
    const port = this.#ports.get(new DataView(bytes.buffer).getUint32(0));
    if (isWhole && port !== undefined) port.arrived(stream);
    else await stream.close();
  }

  /** Listens on a port. */
  listen(number: number): DuplexListener {
    const queue = new AsyncQueue<Duplex>({ capacity: waiting });
    const streams = queue[Symbol.asyncIterator]();
    const port: Port = {
      arrived: (stream) => {
        void queue.push(stream)?.close();
      },
      accept: async () => {
        const { value, done } = await streams.next();
        if (!done) return value;
        throw new ShimError("Unavailable", `Port ${number} is closed`);
      },
      close: () => {
        this.#ports.delete(number);
        queue.close();
        return Promise.resolve();
      },
    };
    this.#ports.set(number, port);
    return port;
  }

  /** Ends all listening; connections that were accepted go on. */
  async close(): Promise<void> {
    for (const port of [...this.#ports.values()]) await port.close();
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#arriving);
  }
}
