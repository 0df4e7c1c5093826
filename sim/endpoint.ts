/**
 * ttrpc endpoints: Unix sockets that only this user may connect to.
 *
 * @module
 */

import {
  connDuplex,
  type Duplex,
  type DuplexListener,
  listenerDuplex,
} from "../base/duplex.ts";
import { classify, messageOf, ShimError } from "../base/errors.ts";
import { exclusively } from "./exclusive.ts";

/** The path of an address: `unix:///run/x.sock`, or a plain path as containerd gives for its own. */
export function socketPath(address: string): string {
  const path = address.startsWith("unix://")
    ? address.slice("unix://".length)
    : address;
  if (path.startsWith("/")) return path;
  throw new ShimError(
    "InvalidArgument",
    `"${address}" is no address of a Unix socket: expected unix:///path or an absolute path`,
  );
}

/** What stands behind a socket file. */
export type Occupant = "nobody" | "stale" | "server";

/** Finds out by connecting. */
export async function occupant(path: string): Promise<Occupant> {
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
    return "server";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "nobody";
    if (error instanceof Deno.errors.ConnectionRefused) return "stale";
    // A full backlog, a file that is no socket: not ours to remove.
    return "server";
  }
}

/**
 * Binds. Nobody else may enter the folder, so that the moment before the mode is
 * set is harmless.
 */
function bind(path: string): Deno.UnixListener {
  const listener = Deno.listen({ transport: "unix", path });
  Deno.chmodSync(path, 0o600);
  return listener;
}

/**
 * Serves an address. The socket of a server that died is replaced.
 *
 * @throws {ShimError} AlreadyExists when somebody serves it.
 */
export async function listenAt(address: string): Promise<DuplexListener> {
  const path = socketPath(address);
  const folder = path.slice(0, path.lastIndexOf("/"));
  return await exclusively(folder, async () => {
    const state = await occupant(path);
    if (state === "server") {
      throw new ShimError("AlreadyExists", `"${address}" is served already`);
    }
    if (state === "stale") await Deno.remove(path);
    return listenerDuplex(bind(path));
  });
}

/**
 * Removes a socket that nobody serves.
 *
 * @returns False when somebody serves it, and it stays.
 */
export async function removeStale(address: string): Promise<boolean> {
  const path = socketPath(address);
  const folder = path.slice(0, path.lastIndexOf("/"));
  return await exclusively(folder, async () => {
    const state = await occupant(path);
    if (state === "stale") await Deno.remove(path);
    return state !== "server";
  });
}

/** Why a connection cannot be made: only its absence says that nobody serves. */
function refusedConnection(address: string, cause: unknown): ShimError {
  const isAbsent = cause instanceof Deno.errors.NotFound ||
    cause instanceof Deno.errors.ConnectionRefused;
  const isForbidden = cause instanceof Deno.errors.PermissionDenied;
  return new ShimError(
    isAbsent ? "Unavailable" : classify(cause),
    `Cannot connect to "${address}": ` +
      (isForbidden ? "only its owner may; run this as root" : messageOf(cause)),
    { cause },
  );
}

/**
 * Connects to an address.
 *
 * @throws {ShimError} Unavailable when nobody serves it, PermissionDenied when this
 * user may not connect, else why it cannot be made; the signal's reason.
 */
export async function connectTo(
  address: string,
  signal?: AbortSignal,
): Promise<Duplex> {
  const path = socketPath(address);
  signal?.throwIfAborted();
  try {
    // The kernel answers at once: a Unix socket has no handshake to wait for.
    const conn = await Deno.connect({ transport: "unix", path });
    if (!signal?.aborted) return connDuplex(conn);
    conn.close();
  } catch (cause) {
    throw refusedConnection(address, cause);
  }
  throw signal.reason;
}
