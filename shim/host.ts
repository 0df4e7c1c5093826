/**
 * The only file that asks which operating system this is, and chooses the host:
 * Windows, or the simulated Windows host.
 *
 * @module
 */

import type { Logger } from "../base/log.ts";
import type { Platform, WindowsHost } from "../hcs/ports.ts";

const onWindows = Deno.build.os === "windows";

/** The operating system alone, which is light: all that `start` needs. */
export async function loadPlatform(): Promise<Platform> {
  if (onWindows) {
    const { windowsPlatform } = await import("../ffi/windows/host.ts");
    return windowsPlatform();
  }
  const { simulatedPlatform } = await import("../sim/host.ts");
  return simulatedPlatform();
}

/**
 * The whole host, with the compute service and what it needs.
 *
 * @param log Takes what the host cannot tell a caller.
 */
export async function loadHost(log: Logger): Promise<WindowsHost> {
  if (onWindows) {
    const { windowsHost } = await import("../ffi/windows/host.ts");
    return await windowsHost({ log });
  }
  const { simulatedHost } = await import("../sim/host.ts");
  return await simulatedHost({ log });
}
