/**
 * The simulated Windows host: what `shim/host.ts` chooses on Linux. The platform
 * alone loads almost nothing, because every `start` loads it.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Platform, WindowsHost } from "../hcs/ports.ts";
import { spawnShim } from "./detached.ts";
import { connectTo, listenAt } from "./endpoint.ts";
import { endpointAddress, endpointAddresses, stateFolders } from "./state.ts";

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
  const state = stateFolders(root);
  return {
    os: "linux",
    arch: architectures[Deno.build.arch] ?? Deno.build.arch,
    build,
    cpus: navigator.hardwareConcurrency,
    endpoint: (namespace, key) => endpointAddress(state, namespace, key),
    endpoints: () => endpointAddresses(state),
    listen: listenAt,
    connect: connectTo,
    stdio: async (url, name, { signal } = {}) => {
      const { openStdio } = await import("./stdio.ts");
      signal?.throwIfAborted();
      return await openStdio(url, name);
    },
    serveStdio: async (terminal) => {
      const { serveSockets } = await import("./served_sockets.ts");
      return await serveSockets(terminal);
    },
    startLogger: async (url, process) => {
      const { startLogger } = await import("./logging_program.ts");
      return startLogger(url, process);
    },
    logSink: async (_namespace, _id, bundle) => {
      const { openLogSink } = await import("./log_sink.ts");
      return openLogSink(bundle);
    },
    logFolder: async (use) => {
      const folder = await import("./log_folder.ts");
      return use === "write"
        ? await folder.openLogFolder(state.logs)
        : await folder.findLogFolder(state.logs);
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
    leftovers: async () => {
      const { findLeftovers } = await import("./clean_up.ts");
      return await findLeftovers(state);
    },
    announceReady: () => Promise.resolve(),
    systemEvents: () => Promise.resolve({ write: () => {} }),
    vmMemory: (runtimeId) =>
      Promise.reject(
        new ShimError(
          "NotFound",
          `No process holds the memory of virtual machine "${runtimeId}": simulated ones are groups of processes`,
        ),
      ),
    async *diagnose() {
      const { diagnose } = await import("./diagnose.ts");
      yield* diagnose(root);
    },
  };
}

/** How {@linkcode simulatedHost} is made. */
export interface SimulationOptions {
  /** Reads a variable of the environment; default is the process' own. */
  readonly env?: (name: string) => string | undefined;
  /** Takes what the simulation cannot tell a caller. */
  readonly log?: Logger;
}

/**
 * Everything of a simulated Windows host. Its compute service is reached through
 * the same code as `vmcompute.dll` is.
 *
 * @param options Environment and log.
 * @throws {ShimError} InvalidArgument when `LCOW_STATE` or `LCOW_SIM_GUEST` cannot
 * be used.
 */
export async function simulatedHost(
  options: SimulationOptions = {},
): Promise<WindowsHost> {
  const { env = (name) => Deno.env.get(name), ...rest } = options;
  const root = env("LCOW_STATE") ?? "";
  const [
    { SimulatedHost },
    { guestProgram },
    mock,
    windows,
    { linuxFiles },
    { simulatedNetwork },
  ] = await Promise.all([
    import("./simulated_host.ts"),
    import("./guest_program.ts"),
    import("../ffi/mock/hcs.ts"),
    import("../ffi/windows/compute/vmcompute.ts"),
    import("./files.ts"),
    import("./network.ts"),
  ]);
  const state = stateFolders(root);
  const host = new SimulatedHost({
    state,
    guest: await guestProgram(env),
    ...rest,
  });
  return {
    compute: new windows.VmCompute(mock.mockVmCompute(host), rest),
    network: simulatedNetwork(state.networks),
    sockets: host,
    files: linuxFiles,
    platform: simulatedPlatform(root),
  };
}
