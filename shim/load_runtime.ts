/**
 * Loads the host and the controllers, which `serve` does after it listens.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Timeouts } from "../base/timeouts.ts";
import { NetworkController } from "../controllers/network/mod.ts";
import { PodController } from "../controllers/pod/mod.ts";
import { type ClientStreams, runInVm } from "../controllers/process/mod.ts";
import { VmController } from "../controllers/vm/mod.ts";
import type { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import type { Machine } from "./host.ts";
import { reconnectLimit } from "./options.ts";
import type { Runtime } from "./runtime.ts";
import { sharePath } from "./share_path.ts";

/**
 * Loads everything that a container needs.
 *
 * @param machine Where it runs.
 * @param namespace The namespace of containerd.
 * @param log Log of the process.
 * @param clock Source of time.
 * @param timeouts Bounds.
 */
export async function loadRuntime(
  machine: Machine,
  namespace: string,
  log: Logger,
  clock: Clock,
  timeouts: Timeouts,
): Promise<Runtime> {
  const host = await machine.host(log);
  const { platform, compute, files } = host;
  const streams = (options: Options): ClientStreams => ({
    open: (url, name, signal) =>
      platform.stdio(url, name, {
        signal,
        reconnectLimit: reconnectLimit(options),
      }),
    startLogger: (url, process) =>
      platform.startLogger(url, { namespace, ...process }),
  });
  return {
    platform,
    newVm: (id) =>
      new VmController({ host, log: log.child({ vm: id }), clock, timeouts }),
    newPod: (vm, { id, options, namespaceId }) =>
      new PodController({
        guest: vm.guest,
        scsi: vm.scsi(),
        shares: { plan9: vm.plan9(), files },
        vpci: vm.vpci(),
        runtimeId: vm.runtimeId,
        compute,
        files,
        streams: streams(options),
        log,
        clock,
        timeouts,
        scratchEncryption: vm.sandboxOptions?.enableScratchEncryption ?? false,
        isVmRunning: () => vm.state === "Running",
        network: namespaceId === "" ? undefined : new NetworkController({
          vm,
          guest: vm.guest,
          host: host.network,
          log: log.child({ pod: id }),
        }, {
          namespaceId,
          policyBasedRouting: vm.sandboxOptions?.policyBasedRouting ?? false,
        }),
      }, id),
    runInVm: (vm, options, request, signal) => {
      const { guest } = vm;
      const deps = {
        guest,
        streams: streams(options),
        log,
        clock,
        timeouts,
      };
      return runInVm(deps, request, signal);
    },
    share: (vm, path, signal) =>
      sharePath({ plan9: vm.plan9(), files }, path, signal),
  };
}
