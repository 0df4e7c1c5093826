/**
 * The only file that asks which operating system this is, and chooses the host:
 * Windows, or the simulated Windows host.
 *
 * @module
 */

import type { Logger } from "../base/log.ts";
import { operatorTimeouts, type Timeouts } from "../base/timeouts.ts";
import type { Platform, WindowsHost } from "../hcs/ports.ts";

const onWindows = Deno.build.os === "windows";

/** Signals by which people interrupt a command and let it clean up. */
export const interruptions: readonly Deno.Signal[] = onWindows
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** The machine that this process runs on. */
export interface Machine {
  /** The operating system alone, which is light: all that `start` needs. */
  readonly platform: Platform;
  /** Bounds, as the operator has set them. */
  readonly timeouts: Timeouts;
  /**
   * Loads the whole host, with the compute service and what it needs. It works
   * with what {@linkcode Machine.platform} has opened.
   *
   * @param log Takes what the host cannot tell a caller.
   */
  host(log: Logger): Promise<WindowsHost>;
}

/**
 * Loads the machine's operating system: once per process.
 *
 * @throws {ShimError} FailedPrecondition when Windows lacks what every process
 * needs; InvalidArgument when `LCOW_STATE` cannot be used.
 */
export async function loadMachine(): Promise<Machine> {
  const timeouts = operatorTimeouts((name) => Deno.env.get(name));
  if (onWindows) {
    const { windowsParts, windowsPlatform } = await import(
      "../ffi/windows/platform.ts"
    );
    const parts = windowsParts({ timeouts });
    return {
      platform: windowsPlatform(parts),
      timeouts,
      host: async (log) => {
        const { windowsHost } = await import("../ffi/windows/host.ts");
        return windowsHost({ ...parts, log });
      },
    };
  }
  const { simulatedHost, simulatedPlatform } = await import("../sim/host.ts");
  return {
    platform: simulatedPlatform(),
    timeouts,
    host: (log) => simulatedHost({ log }),
  };
}
