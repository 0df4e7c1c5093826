/**
 * The simulated Windows host: what `shim/host.ts` chooses on Linux. The platform
 * alone loads almost nothing, because every `start` loads it.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { Platform } from "../hcs/ports.ts";
import { spawnShim } from "./detached.ts";
import { connectTo, listenAt } from "./endpoint.ts";
import { endpointAddress, type State, stateFolders } from "./state.ts";

/** Windows Server 2025, on which the golden data was recorded. */
const build = 26100;

/** `Deno.build.arch` in the words of OCI. */
const architectures: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
};

/**
 * The operating system of the simulated host: Unix sockets, FIFOs, directories.
 *
 * @param root State folder; default is `LCOW_STATE`, then `/run/lcow`.
 * @throws {ShimError} InvalidArgument when the state folder's path does not fit.
 */
export function simulatedPlatform(
  root: string | undefined = Deno.env.get("LCOW_STATE"),
): Platform {
  const state: State = stateFolders(root);
  return {
    os: "linux",
    arch: architectures[Deno.build.arch] ?? Deno.build.arch,
    build,
    cpus: navigator.hardwareConcurrency,
    endpoint: (namespace, key) => endpointAddress(state, namespace, key),
    listen: listenAt,
    connect: connectTo,
    stdio: async (url, name, signal) => {
      const { openStdio } = await import("./stdio.ts");
      signal?.throwIfAborted();
      return await openStdio(url, name);
    },
    logSink: async (_namespace, _id, bundle) => {
      const { openLogSink } = await import("./log_sink.ts");
      return openLogSink(bundle);
    },
    spawnDetached: (args, options) => Promise.resolve(spawnShim(args, options)),
    layers: async (source) => {
      const { linuxLayers } = await import("./layers.ts");
      return await linuxLayers(source);
    },
    cleanUp: async (namespace, key) => {
      const { cleanUpGroup } = await import("./clean_up.ts");
      await cleanUpGroup(state, namespace, key);
    },
  };
}
