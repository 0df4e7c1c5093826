/**
 * What tests and benchmarks of this package share: a service that does what its
 * callers say, and a peer that speaks in raw frames.
 *
 * @module
 */

import { FakeClock } from "../base/clock.ts";
import { type Duplex, memoryPair } from "../base/duplex.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { Any, type RpcStatus } from "./api/any.gen.ts";
import { Response } from "./api/envelope.gen.ts";
import { type Frame, FrameReader } from "./frames.ts";
import type { Handlers } from "./handlers.ts";
import type { TtrpcLimits } from "./limits.ts";
import {
  method,
  type MethodType,
  serverStream,
  type StreamType,
} from "./message.ts";
import { TtrpcServer } from "./server.ts";

/** A service with one method of each kind. */
export const Echo: {
  readonly name: string;
  readonly methods: {
    readonly Say: MethodType<Any, Any>;
    readonly Watch: StreamType<Any, Any>;
    readonly Missing: MethodType<Any, Any>;
  };
} = {
  name: "test.Echo",
  methods: {
    Say: method(Any, Any),
    Watch: serverStream(Any, Any),
    Missing: method(Any, Any),
  },
};

/** A message that carries a text. */
export function text(value: string): Any {
  return { typeUrl: value, value: new Uint8Array() };
}

/** A server with the echo service. */
export interface EchoServer {
  /** The server. */
  readonly server: TtrpcServer;
  /** The clock of its timeouts. */
  readonly clock: FakeClock;
  /** Connects a client's stream to it. */
  connect(): Duplex;
}

/** Starts a server; by default `Say` returns its request. `Watch` is a long wait. */
export function echoServer(
  handlers: Handlers<typeof Echo> = {},
  options: { log?: Logger; limits?: Partial<TtrpcLimits> } = {},
): EchoServer {
  const clock = new FakeClock();
  const server = new TtrpcServer({ log: silentLogger, clock, ...options });
  server.register(Echo, {
    Say: (request) => Promise.resolve(request),
    ...handlers,
  }, ["Watch"]);
  return {
    server,
    clock,
    connect: () => {
      const [ours, theirs] = memoryPair();
      server.handle(theirs);
      return ours;
    },
  };
}

/** A client that writes and reads raw frames. */
export class RawPeer {
  readonly #stream: Duplex;
  readonly #reader: FrameReader;

  /** @param stream The peer's from now on. */
  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#reader = new FrameReader(stream);
  }

  /** Writes bytes given as hex in parts, for example one part per field. */
  send(...parts: string[]): Promise<void> {
    return this.#stream.write(Uint8Array.fromHex(parts.join("")));
  }

  /** Writes bytes. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#stream.write(bytes);
  }

  /** The next frame; null when the server has closed the connection. */
  receive(): Promise<Frame | null> {
    return this.#reader.next();
  }

  /** The next frame as hex: header and data. */
  async receiveHex(): Promise<string> {
    const frame = await this.receive();
    if (frame === null) return "closed";
    const header = [
      frame.length.toString(16).padStart(8, "0"),
      frame.streamId.toString(16).padStart(8, "0"),
      frame.type.toString(16).padStart(2, "0"),
      frame.flags.toString(16).padStart(2, "0"),
    ];
    return [...header, frame.data?.toHex()].filter(Boolean).join(" ");
  }

  /** The next frame, which must be a reply: its stream and status. */
  async receiveStatus(): Promise<{ id: number } & Partial<RpcStatus>> {
    const frame = await this.receive();
    if (frame?.data === undefined) return { id: 0, message: "no reply" };
    const { status } = Response.decode(frame.data);
    return {
      id: frame.streamId,
      ...(status && { code: status.code, message: status.message }),
    };
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.#stream.close();
  }
}
