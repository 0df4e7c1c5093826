/**
 * Where the simulated host keeps its state: endpoints and virtual machines,
 * below one short folder.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** Where the state is when `LCOW_STATE` says nothing. */
const defaultRoot = "/run/lcow";

/**
 * A Unix socket address holds 107 bytes; what stands below the root takes up to
 * 35 of them, and the guest's tools add their own.
 */
const maxRoot = 40;

/** Folders of the state. */
export interface StateFolders {
  /** The folder that `LCOW_STATE` names. */
  readonly root: string;
  /** Sockets of the ttrpc endpoints. */
  readonly sockets: string;
  /** One folder per virtual machine. */
  readonly vms: string;
  /** One file per network namespace. */
  readonly networks: string;
  /** Log files of the shims. */
  readonly logs: string;
}

/**
 * The state folders of this process.
 *
 * @param root Value of `LCOW_STATE`; undefined or empty for the default.
 * @throws {ShimError} InvalidArgument when it is no short absolute path.
 */
export function stateFolders(root: string | undefined): StateFolders {
  const path = root === undefined || root === "" ? defaultRoot : root;
  if (!path.startsWith("/")) {
    throw new ShimError(
      "InvalidArgument",
      `LCOW_STATE "${path}" is not an absolute path`,
    );
  }
  if (/[\s,:\\"]/.test(path)) {
    throw new ShimError(
      "InvalidArgument",
      `LCOW_STATE "${path}" has white space or one of , : \\ ", which mount options cannot carry`,
    );
  }
  const trimmed = path.replace(/\/+$/, "");
  const { length } = new TextEncoder().encode(trimmed);
  if (length > maxRoot) {
    throw new ShimError(
      "InvalidArgument",
      `LCOW_STATE "${path}" is ${length} characters long, at most ${maxRoot} ` +
        `fit in front of the socket names: choose a shorter folder`,
    );
  }
  return {
    root: trimmed,
    sockets: `${trimmed}/s`,
    vms: `${trimmed}/vm`,
    networks: `${trimmed}/n`,
    logs: `${trimmed}/log`,
  };
}

/** SHA-256 of a text, as lower-case hex. */
async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The endpoint of a group, as containerd is told: `unix://…/s/<16 hex>.sock`. */
export async function endpointAddress(
  { sockets }: StateFolders,
  namespace: string,
  key: string,
): Promise<string> {
  const name = await sha256(`${namespace}/${key}`);
  return `unix://${sockets}/${name.slice(0, 16)}.sock`;
}

/**
 * The endpoints whose sockets exist, in the order of their names.
 *
 * @throws {ShimError} PermissionDenied when this user may not read the folder.
 */
export async function endpointAddresses(
  { sockets }: StateFolders,
): Promise<string[]> {
  const addresses: string[] = [];
  try {
    for await (const { name } of Deno.readDir(sockets)) {
      if (/^[0-9a-f]{16}\.sock$/.test(name)) {
        addresses.push(`unix://${sockets}/${name}`);
      }
    }
  } catch (cause) {
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new ShimError(
        "PermissionDenied",
        `Cannot list the shims in ${sockets}: only its owner may; run this as root`,
        { cause },
      );
    }
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return addresses.sort();
}

/** The folder of a virtual machine, by the id of its compute system. */
export async function vmFolder(
  { vms }: StateFolders,
  systemId: string,
): Promise<string> {
  return `${vms}/${(await sha256(systemId)).slice(0, 8)}`;
}

/** How the names of the control groups of a state folder's machines begin. */
export async function groupPrefix({ root }: StateFolders): Promise<string> {
  return `${(await sha256(root)).slice(0, 8)}-`;
}

/**
 * The name of a machine's control group: unlike the folder's, unique on the
 * whole computer, because several state folders share one tree of groups.
 */
export async function groupName(
  state: StateFolders,
  systemId: string,
): Promise<string> {
  return await groupPrefix(state) + (await sha256(systemId)).slice(0, 8);
}
