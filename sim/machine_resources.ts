/**
 * What the modify requests of a running machine change.
 *
 * @module
 */

import type { ProcessorLimits } from "../hcs/documents.gen.ts";
import type { ControlGroup } from "./control_group.ts";
import { refusal } from "./hresults.ts";
import type { Resources } from "./modify.ts";
import type { NetworkBus } from "./network_bus.ts";
import type { ScsiBus } from "./scsi_bus.ts";

/** HCS: a limit of 100000 is all of the machine's processors. */
const fullLimit = 100_000;

/** HCS: weight of a machine that nobody weighted. */
const defaultWeight = 100;

const mebibyte = 1024 * 1024;

/** The resources of a machine, in the units of the kernel. */
export function machineResources(
  scsi: ScsiBus,
  network: NetworkBus,
  group: ControlGroup,
  processors: number,
): Resources {
  return {
    attach: (guid, lun, attachment) =>
      scsi.attach(scsi.controller(guid), lun, attachment),
    detach: (guid, lun) => scsi.detach(scsi.controller(guid), lun),
    attachAdapter: (id, adapter) => network.attach(id, adapter),
    detachAdapter: (id) => network.detach(id),
    limitMemory: (mebibytes) => group.limitMemory(mebibytes * mebibyte),
    async limitProcessors(limits: ProcessorLimits) {
      if (limits.Reservation || limits.MaximumFrequencyMHz) {
        throw refusal(
          "notSupported",
          "$.Settings: the simulated host reserves no processors and sets no frequency",
        );
      }
      const limit = Number(limits.Limit ?? 0n);
      const isLimited = limit > 0 && limit < fullLimit;
      await group.limitCpu(
        isLimited ? processors * limit / fullLimit : processors,
      );
      const weight = Number(limits.Weight ?? 0n) || defaultWeight;
      await group.weighCpu(weight / defaultWeight);
    },
  };
}
