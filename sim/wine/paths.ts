/**
 * Windows paths under Wine: `Z:\a` is `/a`; other drives do not exist.
 *
 * @module
 */

import { isJsonObject, type Json } from "../../base/json.ts";
import type { ComputeHost, ComputeSystem } from "../../hcs/ports.ts";
import { refusal } from "../hresults.ts";

/**
 * What stands before the path of this computer: the drive, also as a device path
 * or by the name that Wine gives its volume (the letter's code), or `unix`.
 */
const prefixes: readonly RegExp[] = [
  /^(?:\\\\[?.]\\)?z:(?=[\\/])/i,
  /^\\\\\?\\volume\{0{8}-0{4}-0{4}-0{4}-0{10}5a\}(?=\\)/i,
  /^\\\\\?\\unix(?=\\)/i,
];

/**
 * The path that a Windows program under Wine means.
 *
 * @param path Absolute.
 * @throws {HResultError} ERROR_FILE_NOT_FOUND for a path of another drive.
 */
export function linuxPath(path: string): string {
  for (const prefix of prefixes) {
    const [found] = prefix.exec(path) ?? [];
    if (found !== undefined) {
      return path.slice(found.length).replaceAll("\\", "/");
    }
  }
  throw refusal(
    "fileNotFound",
    `Cannot use "${path}": under Wine there is drive Z: only, the root of this computer`,
  );
}

/** Members of documents and requests that are paths of the host. */
const pathMembers: ReadonlySet<string> = new Set([
  "KernelFilePath",
  "InitRdPath",
  "VmbFsRootPath",
  "Path",
]);

/** Translates every path in a document or request. */
function translate(json: Json): Json {
  if (Array.isArray(json)) return json.map(translate);
  if (!isJsonObject(json)) return json;
  const members = Object.entries(json).map(([name, value]) => [
    name,
    pathMembers.has(name) && typeof value === "string"
      ? linuxPath(value)
      : translate(value),
  ]);
  return Object.fromEntries(members);
}

function wineSystem(system: ComputeSystem): ComputeSystem {
  return {
    id: system.id,
    runtimeId: system.runtimeId,
    exited: system.exited,
    start: (signal) => system.start(signal),
    modify: async (request) => await system.modify(translate(request)),
    properties: (query) => system.properties(query),
    terminate: () => system.terminate(),
    close: () => system.close(),
  };
}

/**
 * A compute service for programs under Wine: it takes Windows paths, and `host`
 * gets the ones of this computer.
 */
export function wineComputeHost(host: ComputeHost): ComputeHost {
  return {
    create: async (id, document, signal) =>
      wineSystem(await host.create(id, translate(document), signal)),
    open: async (id) => wineSystem(await host.open(id)),
    enumerate: (query) => host.enumerate(query),
    serviceProperties: (query) => host.serviceProperties(query),
    grantAccess: async (vmId, path) =>
      await host.grantAccess(vmId, linuxPath(path)),
    revokeAccess: async (vmId, path) =>
      await host.revokeAccess(vmId, linuxPath(path)),
  };
}
