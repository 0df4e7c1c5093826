/**
 * Becoming another program, with other descriptors.
 *
 * @module
 */

import { close } from "./files.ts";
import { check, cString, cStrings, libc } from "./libc.ts";
import { withProgramLimits } from "./limits.ts";
import { vsockAddress } from "./socket.ts";

/** `SIGPIPE`; Deno ignores it, and programs inherit what is ignored. */
const brokenPipe = 13;

/**
 * Makes `fd` known as `target` too, which programs inherit.
 *
 * @throws {ErrnoError} EBADF when `fd` is not open.
 */
export function placeDescriptor(fd: number, target: number): void {
  check(libc().dup2(fd, target), `Cannot place descriptor ${fd}`);
}

/** A program that takes the place of this one. */
export interface Program {
  /** Path of the program; PATH is not searched. */
  readonly path: string;
  /** Arguments, the program's own name first. */
  readonly argv: readonly string[];
  /** The whole environment, `NAME=value` each. */
  readonly env: readonly string[];
}

/**
 * Becomes another program: same process, same descriptors 0, 1 and 2.
 *
 * @returns Never.
 * @throws {ErrnoError} ENOENT when there is no such program; this one goes on.
 */
export function becomeProgram({ path, argv, env }: Program): never {
  const args = cStrings(argv);
  const variables = cStrings(env);
  const c = libc();
  c.signal(brokenPipe, null);
  withProgramLimits(() =>
    c.execve(cString(path), args.pointers, variables.pointers)
  );
  check(-1, `Cannot start "${path}"`);
  throw new Error("unreachable");
}

/** `AF_INET`. */
const afInet = 2;

/** A port of the host. */
export type HostAddress =
  | { readonly cid: number; readonly port: number }
  | { readonly ip: string; readonly port: number };

/** `struct sockaddr_vm`, or `struct sockaddr_in`: family, port, address. */
function socketAddress(address: HostAddress): Uint8Array<ArrayBuffer> {
  if ("cid" in address) return vsockAddress(address.cid, address.port);
  const view = new DataView(new ArrayBuffer(16));
  view.setUint16(0, afInet, true);
  view.setUint16(2, address.port);
  address.ip.split(".").forEach((part, i) =>
    view.setUint8(4 + i, Number(part))
  );
  return new Uint8Array(view.buffer);
}

/**
 * Connects a socket and waits for it: for programs that do nothing else.
 *
 * @returns A descriptor that children inherit; the caller closes it.
 * @throws {ErrnoError} When nobody listens, or the connection failed.
 */
export function connectDescriptor(address: HostAddress): number {
  const stream = 1; // SOCK_STREAM
  const bytes = socketAddress(address);
  const family = new DataView(bytes.buffer).getUint16(0, true);
  const fd = check(
    libc().socket(family, stream, 0),
    "Cannot make a socket",
  );
  try {
    const result = libc().connect(fd, bytes, bytes.length);
    check(result, `Cannot connect to port ${address.port} of the host`);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Writes all bytes, waiting for room.
 *
 * @throws {ErrnoError} When the other side is gone.
 */
export function writeDescriptor(
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  for (let sent = 0; sent < bytes.length;) {
    const rest = bytes.subarray(sent);
    const n = libc().write(fd, rest, BigInt(rest.length));
    sent += check(n, `Cannot write to descriptor ${fd}`);
  }
}
