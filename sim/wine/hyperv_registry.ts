/**
 * Hyper-V sockets of programs under Wine. Their fake `ws2_32.dll` has TCP sockets
 * of the loopback address instead, and tells this registry which port stands for
 * which service of which virtual machine. Requests are lines:
 *
 * | Request | Answer |
 * |---|---|
 * | `listen VM SERVICE PORT` | 0 |
 * | `unlisten VM SERVICE PORT` | 0 |
 * | `resolve VM SERVICE` | the port |
 *
 * A negative answer is an error of Winsock. What a connection listens on, it
 * listens on as long as it lasts.
 *
 * @module
 */

import { connDuplex, type Duplex } from "../../base/duplex.ts";
import { classify, type ErrorCode, messageOf } from "../../base/errors.ts";
import { isGuid, vsockServiceId } from "../../base/guid.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import type { GuestSockets } from "../../hcs/ports.ts";
import { dialLoopback, GuestDials, type StopDials } from "./guest_dials.ts";

/** Errors of Winsock. */
const Winsock = {
  AccessDenied: 10013,
  Invalid: 10022,
  AddressInUse: 10048,
  AddressNotAvailable: 10049,
  NetworkDown: 10050,
  ConnectionRefused: 10061,
} as const;

const codes: Partial<Record<ErrorCode, number>> = {
  InvalidArgument: Winsock.Invalid,
  AlreadyExists: Winsock.AddressInUse,
  NotFound: Winsock.AddressNotAvailable,
  PermissionDenied: Winsock.AccessDenied,
};

/** All virtual machines at once: nobody may listen for them. */
const broadcast = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Longer than any request. */
const maxLine = 256;

/** How a {@linkcode HyperVRegistry} is made. */
export interface HyperVRegistryOptions {
  /**
   * Has the virtual machines: each of their dials is connected to the port that
   * stands for it. Without, only programs of this computer dial.
   */
  readonly sockets?: GuestSockets;
  /** Takes what cannot be told to a caller. */
  readonly log?: Logger;
}

/** Somebody listens. */
interface Registration {
  /** Port of the loopback address. */
  readonly port: number;
  /** Set once the guests' dials are served. */
  stop?: StopDials;
}

/** Registrations of one connection, by VM and service. */
type Registrations = Map<string, Registration>;

function keyOf(vm: string, service: string): string {
  return `${vm}/${service}`.toLowerCase();
}

/** vsock port of a service id; 0, which is none, for other services. */
function vsockPort(service: string): number {
  const port = Number.parseInt(service.slice(0, 8), 16);
  return vsockServiceId(port) === service ? port : 0;
}

/** Reads lines until the end. */
async function* readLines(
  stream: Pick<Duplex, "read">,
): AsyncIterable<string> {
  const buffer = new Uint8Array(maxLine);
  const decoder = new TextDecoder();
  let text = "";
  for (let n; (n = await stream.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
    for (let at; (at = text.indexOf("\n")) >= 0; text = text.slice(at + 1)) {
      yield text.slice(0, at);
    }
    if (text.length > maxLine) return;
  }
}

/** The registry, on a TCP port of its own. */
export class HyperVRegistry implements AsyncDisposable {
  readonly #sockets: GuestSockets | undefined;
  readonly #log: Logger;
  readonly #server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #listening: Registrations = new Map();
  readonly #dials = new GuestDials((error) => this.#report(error));
  readonly #connections = new Map<Duplex, Promise<void>>();
  readonly #accepting: Promise<void>;

  /** Begins to serve. */
  constructor(options: HyperVRegistryOptions = {}) {
    this.#sockets = options.sockets;
    this.#log = options.log ?? silentLogger;
    this.#accepting = this.#accept();
  }

  /** Its port: `LCOW_HVSOCKET_PORT` of the fake DLL. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** What is listened on, each as `VM/SERVICE`. */
  get listening(): readonly string[] {
    return [...this.#listening.keys()];
  }

  /**
   * Dials as a guest does.
   *
   * @throws {Deno.errors.ConnectionRefused} When nobody listens.
   */
  async dial(runtimeId: string, port: number): Promise<Duplex> {
    const key = keyOf(runtimeId, vsockServiceId(port));
    const registration = this.#listening.get(key);
    if (registration !== undefined) {
      return await dialLoopback(registration.port);
    }
    throw new Deno.errors.ConnectionRefused(`Nobody listens on ${key}`);
  }

  #report(error: unknown): void {
    this.#log.error("A Hyper-V socket under Wine failed", {
      error: messageOf(error),
    });
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#server) {
      conn.setNoDelay();
      const stream = connDuplex(conn);
      const served = this.#serve(stream)
        .catch((error) => this.#report(error))
        .finally(() => this.#connections.delete(stream));
      this.#connections.set(stream, served);
    }
  }

  async #serve(stream: Duplex): Promise<void> {
    const own: Registrations = new Map();
    try {
      for await (const line of readLines(stream)) {
        const answer = await this.#answer(line, own);
        await stream.write(new TextEncoder().encode(`${answer}\n`));
      }
    } finally {
      await stream.close();
      await Promise.all([...own.keys()].map((key) => this.#forget(key, own)));
    }
  }

  async #answer(line: string, own: Registrations): Promise<number> {
    const [verb, vm = "", service = "", port] = line.split(" ");
    if (!isGuid(vm) || !isGuid(service)) return -Winsock.Invalid;
    const key = keyOf(vm, service);
    switch (verb) {
      case "listen":
        return await this.#listen(key, Number(port), own);
      case "unlisten":
        await this.#forget(key, own);
        return 0;
      case "resolve":
        return this.#listening.get(key)?.port ?? -Winsock.ConnectionRefused;
      default:
        return -Winsock.Invalid;
    }
  }

  async #listen(
    key: string,
    port: number,
    own: Registrations,
  ): Promise<number> {
    const [vm = "", service = ""] = key.split("/");
    if (vm === broadcast) return -Winsock.AccessDenied;
    if (this.#listening.has(key)) return -Winsock.AddressInUse;
    const registration: Registration = { port };
    // Before the wait, so that nobody else takes it.
    this.#listening.set(key, registration);
    own.set(key, registration);
    try {
      const listener = await this.#sockets?.listen(vm, vsockPort(service));
      if (listener !== undefined) {
        registration.stop = this.#dials.serve(listener, port);
      }
      return 0;
    } catch (error) {
      await this.#forget(key, own);
      return -(codes[classify(error)] ?? Winsock.NetworkDown);
    }
  }

  async #forget(key: string, own: Registrations): Promise<void> {
    const registration = own.get(key);
    if (registration === undefined) return;
    own.delete(key);
    await registration.stop?.();
    this.#listening.delete(key);
  }

  /** Stops and ends the guests' connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await this.#accepting;
    const connections = [...this.#connections];
    await Promise.all(connections.map(([stream]) => stream.close()));
    await Promise.all(connections.map(([, served]) => served));
    await this.#dials[Symbol.asyncDispose]();
  }
}
