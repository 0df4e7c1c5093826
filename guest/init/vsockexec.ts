/**
 * `vsockexec [-r] [-i port] [-o port] [-e port] [--] program args…`: runs a
 * program whose standard streams are ports of the host
 * (`spec/guest-runtime.md` 17.2).
 *
 * Without `-r` it becomes the program. With `-r` it stays beside it and dials
 * again when the host loses the connection, as it does when the machine moves to
 * another host.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import {
  becomeProgram,
  connectDescriptor,
  placeDescriptor,
  writeDescriptor,
} from "../../ffi/linux/exec.ts";
import { close } from "../../ffi/linux/files.ts";
import { findProgram } from "../runtime/detect.ts";
import { hostVariable, parseTcpAddress, portBytes } from "../stand_in.ts";
import { portOf } from "./arguments.ts";

/** What vsockexec is told to do. */
export interface VsockexecArguments {
  /** Stay and dial again (`-r`). */
  readonly relay: boolean;
  /** Port of each standard stream; undefined leaves the stream. */
  readonly ports: readonly [
    stdin: number | undefined,
    stdout: number | undefined,
    stderr: number | undefined,
  ];
  /** The program and its arguments. */
  readonly program: readonly string[];
}

const streams = ["-i", "-o", "-e"];

/**
 * Reads the command line.
 *
 * @throws {ShimError} InvalidArgument naming the option or what is missing.
 */
export function parseVsockexec(args: readonly string[]): VsockexecArguments {
  const ports: (number | undefined)[] = [undefined, undefined, undefined];
  let relay = false;
  let at = 0;
  for (; args[at]?.startsWith("-"); at++) {
    const option = args[at]!;
    if (option === "--") {
      at++;
      break;
    }
    const stream = streams.indexOf(option);
    if (option === "-r") relay = true;
    else if (stream >= 0) {
      const port = portOf(option, args[++at]);
      ports[stream] = port === 0 ? undefined : port;
    } else {
      throw new ShimError(
        "InvalidArgument",
        `vsockexec has no option "${option}"`,
      );
    }
  }
  const program = args.slice(at);
  if (program.length === 0) {
    throw new ShimError("InvalidArgument", "vsockexec needs a program");
  }
  const [stdin, stdout, stderr] = ports;
  if (relay && stdout === undefined && stderr === undefined) {
    throw new ShimError("InvalidArgument", "vsockexec -r needs -o or -e");
  }
  return { relay, ports: [stdin, stdout, stderr], program };
}

/** The host, seen from a VM. */
const hostCid = 2;

/** Connects to a port of the host. @returns The descriptor. */
function connect(port: number): number {
  const tcp = Deno.env.get(hostVariable);
  if (tcp === undefined) return connectDescriptor({ cid: hostCid, port });
  const { hostname, port: tcpPort } = parseTcpAddress(tcp);
  const fd = connectDescriptor({ ip: hostname, port: tcpPort });
  try {
    writeDescriptor(fd, portBytes(port));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Path of the program; it is searched on PATH. */
async function pathOf(name: string): Promise<string> {
  const path = await findProgram(name, Deno.env.get("PATH") ?? "/sbin:/bin");
  if (path !== undefined) return path;
  throw new ShimError("NotFound", `Cannot find the program "${name}"`);
}

/** Never returns: it becomes the program. */
async function become({ ports, program }: VsockexecArguments): Promise<never> {
  const path = await pathOf(program[0]!);
  // Equal ports share a connection.
  const connections = new Map<number, number>();
  for (const port of ports) {
    if (port === undefined || connections.has(port)) continue;
    connections.set(port, connect(port));
  }
  ports.forEach((port, target) => {
    if (port !== undefined) placeDescriptor(connections.get(port)!, target);
  });
  for (const fd of connections.values()) close(fd);
  return becomeProgram({
    path,
    argv: program,
    env: Object.entries(Deno.env.toObject())
      .map(([name, value]) => `${name}=${value}`),
  });
}

async function main(): Promise<number> {
  const options = parseVsockexec(Deno.args);
  if (!options.relay) return await become(options);
  const { relayProgram } = await import("./relay.ts");
  return await relayProgram({
    ...options,
    path: await pathOf(options.program[0]!),
  });
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error(`vsockexec: ${messageOf(error)}`);
    Deno.exit(1);
  }
}
