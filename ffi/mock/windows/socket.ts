/**
 * Hyper-V sockets of the pretended Windows: the objects.
 *
 * @module
 */

import { CallFailure } from "./calls.ts";
import { FakeChannel } from "./channel.ts";
import type { KernelObject } from "./handles.ts";
import type { Operation } from "./operations.ts";
import { FakePeer } from "./peer.ts";
import type { FakePort } from "./port.ts";
import { NtStatus } from "./status.ts";

/** Codes of Winsock. */
const invalidArgument = 10022;
const addressInUse = 10048;
const notConnected = 10057;

/** Both directions of a connection, as the socket sees them. */
export interface Connection {
  /** Carries what the socket receives. */
  readonly incoming: FakeChannel;
  /** Carries what the socket sends. */
  readonly outgoing: FakeChannel;
}

/** The other side's view of a connection. */
export function otherSide({ incoming, outgoing }: Connection): Connection {
  return { incoming: outgoing, outgoing: incoming };
}

/** A new connection. */
export function newConnection(): Connection {
  return { incoming: new FakeChannel(), outgoing: new FakeChannel() };
}

/** Ends a connection from one side, gracefully. */
export function hangUp({ incoming, outgoing }: Connection): void {
  outgoing.end(NtStatus.Success);
  incoming.break(NtStatus.ConnectionReset, NtStatus.ConnectionReset);
}

/** A connection in the hands of a test. */
export function peerOf(connection: Connection): FakePeer {
  return new FakePeer({ ...connection, close: () => hangUp(connection) });
}

/** An accept under way. */
export interface PendingAccept {
  /** The operation. */
  readonly operation: Operation;
  /** The socket that gets the connection. */
  readonly socket: FakeSocket;
}

/** One socket. */
export class FakeSocket implements KernelObject {
  /** See {@linkcode KernelObject.kind}. */
  readonly kind = "socket";
  /** See {@linkcode KernelObject.port}. */
  port?: FakePort | undefined;
  /** Its address as hexadecimal digits; undefined until it is bound. */
  address: string | undefined;
  /** Connections that nobody has accepted; undefined unless it listens. */
  backlog: Connection[] | undefined;
  /** Most of them. */
  limit = 0;
  /** Accepts under way. */
  accepts: PendingAccept[] = [];
  /** Where it is connected. */
  connection: Connection | undefined;
  /** False until the socket was told that it is connected. */
  isUpdated = false;
  readonly #sockets: FakeSockets;

  /** @param sockets Where it listens. */
  constructor(sockets: FakeSockets) {
    this.#sockets = sockets;
  }

  /** Its connection. @throws {CallFailure} When it has none. */
  connected(): Connection {
    if (this.connection !== undefined) return this.connection;
    throw new CallFailure(notConnected);
  }

  /** `AcceptEx`. @returns Pending, or success when somebody has come already. */
  accept(accept: PendingAccept): number {
    if (this.backlog === undefined) throw new CallFailure(invalidArgument);
    this.accepts.push(accept);
    this.match();
    return accept.operation.settled ? NtStatus.Success : NtStatus.Pending;
  }

  /** Brings those together who have come and those who accept. */
  match(): void {
    const { backlog = [] } = this;
    this.accepts = this.accepts.filter(({ operation }) => !operation.settled);
    while (backlog.length > 0 && this.accepts.length > 0) {
      const { operation, socket } = this.accepts.shift()!;
      socket.connection = backlog.shift();
      operation.settle(NtStatus.Success, 0);
    }
  }

  /** `shutdown(SD_SEND)`. @throws {CallFailure} */
  endWrite(): void {
    const { outgoing } = this.connected();
    if (!this.isUpdated) throw new CallFailure(notConnected);
    outgoing.end(NtStatus.Success);
    outgoing.break(NtStatus.Success, NtStatus.ConnectionAborted);
  }

  /** Lets the address and the connections go. */
  close(): void {
    for (const waiting of this.backlog ?? []) peerOf(waiting).reset();
    if (this.connection !== undefined) hangUp(this.connection);
    this.#sockets.remove(this);
  }
}

/** All addresses at which somebody listens. */
export class FakeSockets {
  readonly #bound = new Map<string, FakeSocket>();

  /** `bind`. @throws {CallFailure} */
  bind(socket: FakeSocket, address: string): void {
    const isWildcard = /^[^]{8}0+$/.test(address);
    if (this.#bound.has(address)) throw new CallFailure(addressInUse);
    socket.address = address;
    if (!isWildcard) this.#bound.set(address, socket);
  }

  /** Connects to an address. @returns The dialler's side; undefined when it is refused. */
  connect(address: string): Connection | undefined {
    const listener = this.#bound.get(address);
    const { backlog, limit = 0 } = listener ?? {};
    if (backlog === undefined || backlog.length >= limit) return undefined;
    const connection = newConnection();
    backlog.push(connection);
    listener?.match();
    return otherSide(connection);
  }

  /** A socket is closed. */
  remove(socket: FakeSocket): void {
    const { address = "" } = socket;
    if (this.#bound.get(address) === socket) this.#bound.delete(address);
  }
}
