/**
 * The Windows host: what this version of the product can do there, and a clear
 * refusal for what it cannot. The platform alone loads almost nothing, because
 * every `start` loads it.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { GuestSockets, Platform, WindowsHost } from "../../hcs/ports.ts";
import type { VmComputeOptions } from "./compute/vmcompute.ts";

/** Architectures in OCI's words. */
const architectures: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
};

/**
 * The build number in a Windows version such as `10.0.26100`.
 *
 * @throws {ShimError} Internal when the text has none.
 */
export function windowsBuild(release: string): number {
  const build = /^\d+\.\d+\.(\d+)/.exec(release)?.[1];
  if (build === undefined) {
    throw new ShimError(
      "Internal",
      `Cannot read the build number: the Windows version is "${release}"`,
    );
  }
  return Number(build);
}

/**
 * The operating system Windows. Its named pipes, and so its endpoint, its
 * streams and its logs, are not part of this version: those members reject with
 * NotImplemented.
 */
export function windowsPlatform(): Platform {
  return {
    os: "windows",
    arch: architectures[Deno.build.arch] ?? Deno.build.arch,
    get build() {
      return windowsBuild(Deno.osRelease());
    },
    cpus: navigator.hardwareConcurrency,
    endpoint: (namespace, key) =>
      Promise.resolve(
        `\\\\.\\pipe\\ProtectedPrefix\\Administrators\\containerd-shim-${namespace}-${key}-pipe`,
      ),
    listen: (address) => missing("serve", address, namedPipes),
    connect: (address) => missing("connect to", address, namedPipes),
    stdio: (url) => missing("open the stream", url, namedPipes),
    logSink: (_namespace, id) => missing("open the log of", id, namedPipes),
    spawnDetached: (args) =>
      missing("start", args.join(" "), "detached processes"),
    layers: ({ bundle }) =>
      missing("translate the layers of", bundle, "lcow-layer mounts"),
    cleanUp: (_namespace, key) => missing("clean up after", key, namedPipes),
  };
}

/**
 * Everything of a Windows host: the compute service and the files are complete,
 * Hyper-V sockets reject with NotImplemented, as does the platform.
 *
 * @param options For the compute service.
 */
export async function windowsHost(
  options: VmComputeOptions = {},
): Promise<WindowsHost> {
  const [{ VmCompute }, { systemVmCompute }, { WindowsFiles }] = await Promise
    .all([
      import("./compute/vmcompute.ts"),
      import("./compute/vmcompute_library.ts"),
      import("./host_files.ts"),
    ]);
  const sockets: GuestSockets = {
    listen: (runtimeId, port) =>
      missing("listen to", `${runtimeId}, port ${port}`, "Hyper-V sockets"),
  };
  return {
    compute: new VmCompute(systemVmCompute(), options),
    sockets,
    files: new WindowsFiles(),
    platform: windowsPlatform(),
  };
}

const namedPipes = "named pipes";

function missing(what: string, thing: string, lack: string): Promise<never> {
  return Promise.reject(
    new ShimError(
      "NotImplemented",
      `Cannot ${what} "${thing}": this version of the shim has no ${lack} on Windows. It runs complete on Linux, with a simulated host`,
    ),
  );
}
