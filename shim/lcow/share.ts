/**
 * `lcow share`: makes a path of the host visible in a running VM.
 *
 * @module
 */

import { isAbsoluteWindowsPath } from "../../base/windows_path.ts";
import { Operator } from "../../ttrpc/api/operator.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import type { CallOptions, TtrpcClient } from "../../ttrpc/client.ts";
import { UsageError } from "./parser.ts";
import { nameOf } from "./report.ts";
import { findShimOf, withShim } from "./shims.ts";
import { namespaceOf, type Word } from "./word.ts";

/** A path of the host, and how it is shared. */
interface Shared {
  readonly hostPath: string;
  readonly readOnly: boolean;
}

/** True for a path that means the same in every process. */
function isAbsolute(path: string): boolean {
  return path.startsWith("/") || isAbsoluteWindowsPath(path);
}

/**
 * @param apiLevel That of the shim.
 * @returns The path in the guest; undefined when the shim is too old to tell.
 */
async function request(
  client: TtrpcClient,
  apiLevel: number | undefined,
  shared: Shared,
  options: CallOptions,
): Promise<string | undefined> {
  if (apiLevel === 0) {
    await client.call(ShimDiag, "DiagShare", shared, options);
    return undefined;
  }
  const { guestPath } = await client.call(Operator, "Share", shared, options);
  return guestPath;
}

/** See the module. */
export const share: Word = {
  name: "share",
  summary:
    "share a path of the host with a VM until its end, and print where it is",
  operands: [
    { name: "ID", summary: "the sandbox, pod or container whose VM it is" },
    { name: "HOST_PATH", summary: "absolute path of a directory or file" },
  ],
  flags: [{ name: "read-only", summary: "the VM may only read it" }],
  async run(invocation, context, signal) {
    const [id = "", hostPath = ""] = invocation.operands;
    if (!isAbsolute(hostPath)) {
      throw new UsageError(
        `HOST_PATH ${JSON.stringify(hostPath)} is not absolute: ` +
          "the shim works in another folder",
      );
    }
    const readOnly = invocation.switches.has("read-only");
    const namespace = namespaceOf(invocation);
    const shim = await findShimOf(id, namespace, context, signal);
    const guestPath = await withShim(
      shim.address,
      context,
      signal,
      (client, options) =>
        request(client, shim.apiLevel, { hostPath, readOnly }, options),
    );
    return {
      json: {
        hostPath,
        readOnly,
        ...(guestPath === undefined ? {} : { guestPath }),
      },
      text: guestPath === undefined
        ? `Shared. ${nameOf(shim)} is too old to say where; its log does.\n`
        : `${guestPath}\n`,
    };
  },
};
