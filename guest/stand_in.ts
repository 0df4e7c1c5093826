/**
 * Reaching a host that has no Hyper-V sockets: over TCP, as in a virtual machine
 * of QEMU. Every connection goes to one port and says first which port it means,
 * as four bytes, the highest first.
 *
 * The kernel hands words of its command line that it does not know to init as
 * environment: `LCOW_VSOCK_TCP=10.0.2.2:4000 LCOW_NIC=eth0=10.0.2.15/24`.
 *
 * @module
 */

import { connDuplex, type Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { type IpPrefix, parseIpPrefix } from "../base/ip_address.ts";
import { dialer } from "./dial.ts";

/** Variable that names the host's address. */
export const hostVariable = "LCOW_VSOCK_TCP";

/** Variable that names this machine's interface and address. */
export const interfaceVariable = "LCOW_NIC";

/** An address of TCP. */
export interface TcpAddress {
  /** IPv4 address. */
  readonly hostname: string;
  /** Port. */
  readonly port: number;
}

function invalid(name: string, text: string): ShimError {
  return new ShimError("InvalidArgument", `Cannot read ${name}="${text}"`);
}

/**
 * Reads `LCOW_VSOCK_TCP`.
 *
 * @throws {ShimError} InvalidArgument.
 */
export function parseTcpAddress(text: string): TcpAddress {
  const [, hostname, port] = text.match(/^([\d.]+):(\d{1,5})$/) ?? [];
  if (hostname === undefined) throw invalid(hostVariable, text);
  return { hostname, port: Number(port) };
}

/** An interface and the address that it gets. */
export interface InterfaceAddress {
  /** The interface. */
  readonly name: string;
  /** Its address, and the length of its network's. */
  readonly address: IpPrefix;
}

/**
 * Reads `LCOW_NIC`.
 *
 * @throws {ShimError} InvalidArgument.
 */
export function parseInterface(text: string): InterfaceAddress {
  const [, name, prefix = ""] = text.match(/^(\w+)=(.*)$/) ?? [];
  const address = parseIpPrefix(prefix);
  if (name !== undefined && address !== undefined) return { name, address };
  throw invalid(interfaceVariable, text);
}

/** The first bytes of a connection: the port that it means. */
export function portBytes(port: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, port);
  return new Uint8Array(view.buffer);
}

/** A function that connects to a port of the host. */
export function tcpDialer(
  address: TcpAddress,
): (port: number) => Promise<Duplex> {
  return async (port) => {
    const conn = await Deno.connect({ transport: "tcp", ...address });
    // Small messages go back and forth: none may wait for another one.
    conn.setNoDelay();
    const stream = connDuplex(conn);
    try {
      await stream.write(portBytes(port));
      return stream;
    } catch (error) {
      await stream.close();
      throw error;
    }
  };
}

/**
 * A function that connects to a port of the host, over what this machine has.
 *
 * @param env `LCOW_VSOCK_TCP`, else `LCOW_VSOCK_DIR`, else Hyper-V sockets.
 * @throws {ShimError} InvalidArgument for an address that cannot be read.
 */
export function hostDialer(
  env: Pick<Deno.Env, "get">,
): (port: number) => Promise<Duplex> {
  const tcp = env.get(hostVariable);
  if (tcp !== undefined) return tcpDialer(parseTcpAddress(tcp));
  return dialer(env.get("LCOW_VSOCK_DIR"));
}
