/**
 * Becoming another program, with other descriptors.
 *
 * @module
 */

import { close } from "./files.ts";
import { check, cString, cStrings, libc } from "./libc.ts";
import { withProgramLimits } from "./limits.ts";

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
/** `AF_VSOCK`. */
const afVsock = 40;

/** Where a socket connects to. */
export type StreamAddress =
  | { readonly cid: number; readonly port: number }
  | { readonly ip: string; readonly port: number };

/** `struct sockaddr_vm` or `struct sockaddr_in`. */
function socketAddress(address: StreamAddress): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(16));
  if ("cid" in address) {
    view.setUint16(0, afVsock, true);
    view.setUint32(4, address.port, true);
    view.setUint32(8, address.cid, true);
    return view;
  }
  view.setUint16(0, afInet, true);
  view.setUint16(2, address.port);
  address.ip.split(".").forEach((part, i) =>
    view.setUint8(4 + i, Number(part))
  );
  return view;
}

/**
 * Connects a socket and waits for it: for programs that do nothing else.
 *
 * @returns A descriptor that children inherit; the caller closes it.
 * @throws {ErrnoError} When nobody listens, or the connection failed.
 */
export function connectDescriptor(address: StreamAddress): number {
  const stream = 1; // SOCK_STREAM
  const view = socketAddress(address);
  const fd = check(
    libc().socket(view.getUint16(0, true), stream, 0),
    "Cannot make a socket",
  );
  try {
    const result = libc().connect(fd, view, view.byteLength);
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
