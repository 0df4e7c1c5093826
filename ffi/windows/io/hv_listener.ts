/**
 * Listening for the dials of a virtual machine.
 *
 * @module
 */

import type { Duplex, DuplexListener } from "../../../base/duplex.ts";
import { messageOf, ShimError } from "../../../base/errors.ts";
import { vsockServiceId } from "../../../base/guid.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { addressSize, hvAddress } from "./hv_address.ts";
import { allocate, free, type NativeMemory } from "./native_memory.ts";
import {
  openSocket,
  socketLevel,
  socketOutcome,
  socketStream,
} from "./socket.ts";
import { Win32, win32Error } from "../library/win32_error.ts";
import type { WindowsIo } from "./windows_io.ts";

/** Dials that the system keeps until they are accepted (hcsshim: 16). */
const backlog = 16;

/** `SO_UPDATE_ACCEPT_CONTEXT`: lets the accepted socket be shut down. */
const updateAcceptContext = 0x700b;

/** `AcceptEx` wants 16 bytes beyond each address. */
const acceptAddress = addressSize + 16;

/** Codes of an accept whose dial has gone already. They say nothing of the listener. */
const goneDials: ReadonlySet<number> = new Set<number>([
  Win32.NetnameDeleted,
  Win32.ConnectionAborted,
  Win32.WsaConnectionAborted,
  Win32.WsaConnectionReset,
  Win32.WsaNotConnected,
]);

/** Listens on one vsock port of one virtual machine. */
export class HvListener implements DuplexListener {
  readonly #io: WindowsIo;
  readonly #socket: bigint;
  readonly #name: string;
  readonly #queue: AcceptQueue;
  /** Where `AcceptEx` puts both addresses, which nobody reads. */
  readonly #addresses: NativeMemory;
  /** The accept under way; one at a time. */
  #accepting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(io: WindowsIo, socket: bigint, name: string) {
    this.#io = io;
    this.#socket = socket;
    this.#name = name;
    this.#queue = new AcceptQueue(name);
    this.#addresses = allocate(io.libraries.kernel32, 2 * acceptAddress);
  }

  /**
   * Begins to listen.
   *
   * @param runtimeId GUID of the virtual machine.
   * @param port vsock port, 1 … 0xfffffffe.
   * @throws {ShimError} AlreadyExists when the port is taken; InvalidArgument when
   *   there can be no such address.
   * @throws {HResultError} What the system answered.
   */
  static open(io: WindowsIo, runtimeId: string, port: number): HvListener {
    if (!Number.isInteger(port) || port < 1 || port >= 0xffff_ffff) {
      throw new ShimError("InvalidArgument", `${port} is no vsock port`);
    }
    const name = `port ${port} of virtual machine "${runtimeId}"`;
    const address = hvAddress(runtimeId, vsockServiceId(port));
    const { ws2_32 } = io.libraries;
    const socket = openSocket(ws2_32, name);
    try {
      const bound = ws2_32.bind(socket, address, address.length) === 0 &&
        ws2_32.listen(socket, backlog) === 0;
      if (!bound) throw refusal(ws2_32.WSAGetLastError(), name);
      io.port.attach(socket, name);
      return new HvListener(io, socket, name);
    } catch (error) {
      ws2_32.closesocket(socket);
      throw error;
    }
  }

  /** The next dial. */
  async accept(signal?: AbortSignal): Promise<Duplex> {
    const taken = this.#queue.take(signal);
    this.#acceptWanted();
    return await taken;
  }

  /** Stops listening; connections stay. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    const { port, libraries } = this.#io;
    port.cancel(this.#socket);
    await this.#accepting;
    libraries.ws2_32.closesocket(this.#socket);
    free(libraries.kernel32, this.#addresses);
    await this.#queue.close();
  }

  /** Accepts while somebody waits. An accept whose wait was aborted serves the next one. */
  #acceptWanted(): void {
    if (this.#accepting !== undefined || this.#closing !== undefined) return;
    if (!this.#queue.wanted) return;
    this.#accepting = this.#acceptOne().then(
      (stream) => this.#queue.push(stream),
      (error) => this.#fail(error),
    ).then(() => {
      this.#accepting = undefined;
      this.#acceptWanted();
    });
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#closing !== undefined) return;
    await this.#queue.close(
      error instanceof Error
        ? error
        : new ShimError("Unknown", messageOf(error)),
    );
  }

  async #acceptOne(): Promise<Duplex> {
    const { port, libraries: { ws2_32 } } = this.#io;
    for (;;) {
      const socket = openSocket(ws2_32, this.#name);
      try {
        const code = await this.#acceptInto(socket);
        if (code === 0) {
          port.attach(socket, this.#name);
          return socketStream(this.#io, socket, this.#name);
        }
        const isOver = !goneDials.has(code) || this.#closing !== undefined;
        if (isOver) throw refusal(code, this.#name);
      } catch (error) {
        ws2_32.closesocket(socket);
        throw error;
      }
      ws2_32.closesocket(socket);
    }
  }

  /** Connects a socket with the next dial. @returns 0, or the Win32 code of the failure. */
  async #acceptInto(socket: bigint): Promise<number> {
    const { port, libraries: { ws2_32, mswsock } } = this.#io;
    const result = await port.submit(({ overlapped, parameters }) => {
      const ok = mswsock.AcceptEx(
        this.#socket,
        socket,
        this.#addresses.address,
        0,
        acceptAddress,
        acceptAddress,
        parameters,
        overlapped,
      );
      return socketOutcome(ws2_32, ok !== 0);
    });
    if (result < 0) return -result;
    const listening = new BigUint64Array([this.#socket]);
    const updated = ws2_32.setsockopt(
      socket,
      socketLevel,
      updateAcceptContext,
      listening,
      listening.byteLength,
    );
    return updated === 0 ? 0 : ws2_32.WSAGetLastError();
  }
}

function refusal(code: number, name: string): Error {
  const cause = win32Error(code, `Cannot listen on ${name}`);
  if (code !== Win32.WsaAddressInUse) return cause;
  return new ShimError(
    "AlreadyExists",
    `Cannot listen on ${name}: it is taken`,
    { cause },
  );
}
