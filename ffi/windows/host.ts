/**
 * The Windows host: the one place where everything of it is put together.
 *
 * @module
 */

import type { WindowsHost } from "../../hcs/ports.ts";
import { VmCompute } from "./compute/vmcompute.ts";
import { systemVmCompute } from "./compute/vmcompute_library.ts";
import { WindowsFiles } from "./host_files.ts";
import { HvListener } from "./io/hv_listener.ts";
import { ComputeNetwork } from "./network/computenetwork.ts";
import { systemComputeNetwork } from "./network/computenetwork_library.ts";
import { type WindowsParts, windowsPlatform } from "./platform.ts";

/**
 * Everything of this Windows machine. DLLs are loaded when they are first needed.
 *
 * @param parts What it shares with the platform: one per process.
 */
export function windowsHost(parts: WindowsParts): WindowsHost {
  const { io, opener } = parts;
  return {
    compute: new VmCompute(systemVmCompute(opener), parts),
    network: new ComputeNetwork(systemComputeNetwork(opener), parts),
    sockets: {
      // deno-lint-ignore require-await -- a taken port is a rejection, not a throw
      listen: async (runtimeId, port) => HvListener.open(io, runtimeId, port),
    },
    files: new WindowsFiles({ libraries: io.libraries }),
    platform: windowsPlatform(parts),
  };
}
