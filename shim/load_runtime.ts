/**
 * Loads the host and the controllers, which `serve` does after it listens.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Timeouts } from "../base/timeouts.ts";
import type { Tracer } from "../base/trace.ts";
import { NetworkController } from "../controllers/network/mod.ts";
import { PodController } from "../controllers/pod/mod.ts";
import { type ClientStreams, runInVm } from "../controllers/process/mod.ts";
import { VmController } from "../controllers/vm/mod.ts";
import type { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import { tracedHost } from "../hcs/traced_host.ts";
import { countedStream } from "./counted_stream.ts";
import type { Machine } from "./host.ts";
import type { ShimMetrics } from "./metrics.ts";
import { reconnectLimit } from "./options.ts";
import type { Network, Runtime, Vm } from "./runtime.ts";
import { sharePath } from "./share_path.ts";

/** What a {@linkcode Runtime} is made with. */
export interface RuntimeParts {
  /** The namespace of containerd. */
  readonly namespace: string;
  /** Log of the process. */
  readonly log: Logger;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Timeouts;
  /** Gets a span per call of the host's services and of a guest. */
  readonly tracer: Tracer;
  /** What is counted. */
  readonly metrics: ShimMetrics;
}

/**
 * Loads everything that a container needs.
 *
 * @param machine Where it runs.
 * @param parts What it is made with.
 */
export async function loadRuntime(
  machine: Omit<Machine, "timeouts">,
  parts: RuntimeParts,
): Promise<Runtime> {
  const { namespace, log, clock, timeouts, tracer, metrics } = parts;
  const host = tracedHost(await machine.host(log), tracer);
  const { platform, compute, files } = host;
  const streams = (options: Options): ClientStreams => ({
    open: async (url, name, signal) => {
      const stream = await platform.stdio(url, name, {
        signal,
        reconnectLimit: reconnectLimit(options),
      });
      return countedStream(stream, name, metrics);
    },
    startLogger: (url, process) =>
      platform.startLogger(url, { namespace, ...process }),
  });
  const newNetwork = (vm: Vm, namespaceId: string): Network =>
    new NetworkController({
      vm,
      guest: vm.guest,
      host: host.network,
      log,
    }, {
      namespaceId,
      policyBasedRouting: vm.sandboxOptions?.policyBasedRouting ?? false,
    });
  return {
    platform,
    newNetwork,
    newVm: (id, sandboxId) =>
      new VmController({
        host,
        sandboxId,
        log: log.child({ "sandbox-id": sandboxId, "uvm-id": id }),
        clock,
        timeouts,
        tracer,
        onLogDropped: (lines) =>
          metrics.add("logLinesDropped", ["guest"], lines),
      }),
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
        network: namespaceId === "" ? undefined : newNetwork(vm, namespaceId),
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
