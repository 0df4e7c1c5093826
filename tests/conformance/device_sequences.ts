/**
 * Runs the groups of `hcs-modify` in which devices are reserved, mapped and given
 * back on one VM, step by step, with the real device managers.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { formatJson } from "../../base/json.ts";
import { DeviceControllers } from "../../controllers/device/device_controllers.ts";
import type { DiskConfig } from "../../controllers/device/scsi/mod.ts";
import { CallList } from "./call_list.ts";
import { errorOf } from "./errors.ts";
import { listOf, objectOf, objectsOf, textOf } from "./json.ts";
import { numberIds } from "./random_ids.ts";

/** A device manager, as the steps use it. */
interface Sequence {
  reserve(step: JsonObject): Promise<string>;
  map(id: string): Promise<string>;
  unmap(id: string): Promise<void>;
  /** False where the recording does not have what a map gives. */
  readonly hasPaths: boolean;
  /** The name of a reservation in messages of the peer. */
  nameOf(id: string): string;
}

function isTrue(value: Json | undefined): boolean {
  return value === true;
}

function scsiSequence({ scsi }: DeviceControllers): Sequence {
  return {
    hasPaths: true,
    nameOf: (id) => id,
    map: (id) => scsi.map(id),
    unmap: (id) => scsi.unmap(id),
    reserve: (step) => {
      const disk = objectOf(step.disk);
      const mount = objectOf(step.mount);
      return scsi.reserve({
        hostPath: textOf(disk.HostPath),
        readOnly: isTrue(disk.ReadOnly),
        type: textOf(disk.Type) as DiskConfig["type"],
        evdType: textOf(disk.EVDType),
      }, {
        partition: Number(mount.Partition ?? 0),
        readOnly: isTrue(mount.ReadOnly),
        encrypted: isTrue(mount.Encrypted),
        options: listOf(mount.Options).map(textOf),
        ensureFilesystem: isTrue(mount.EnsureFilesystem),
        filesystem: textOf(mount.Filesystem),
        blockDev: isTrue(mount.BlockDev),
      });
    },
  };
}

function plan9Sequence({ plan9 }: DeviceControllers): Sequence {
  return {
    hasPaths: true,
    nameOf: (id) => id,
    map: (id) => plan9.map(id),
    unmap: (id) => plan9.unmap(id),
    reserve: (step) => {
      const share = objectOf(step.share);
      return plan9.reserve({
        hostPath: textOf(share.HostPath),
        readOnly: isTrue(share.ReadOnly),
        restrict: isTrue(share.Restrict),
        allowedNames: listOf(share.AllowedNames).map(textOf),
      }, { readOnly: isTrue(objectOf(step.mount).ReadOnly) });
    },
  };
}

function vpciSequence({ vpci }: DeviceControllers): Sequence {
  // The peer's reservation is the GUID of the device; ours has an id of its own.
  const guids = new Map<string, string>();
  return {
    hasPaths: false,
    nameOf: (id) => guids.get(id) ?? id,
    map: (id) => vpci.map(id),
    unmap: (id) => vpci.unmap(id),
    reserve: async (step) => {
      const device = objectOf(step.device);
      const wanted = {
        instancePath: textOf(device.DeviceInstanceID),
        virtualFunction: Number(device.VirtualFunctionIndex ?? 0),
      };
      const id = await vpci.reserve(wanted);
      const held = vpci.devices.find(({ config }) =>
        config.instancePath === wanted.instancePath &&
        config.virtualFunction === wanted.virtualFunction
      );
      if (held !== undefined) guids.set(id, held.guid);
      return id;
    },
  };
}

const sequences: Readonly<
  Record<string, (devices: DeviceControllers) => Sequence>
> = {
  "scsi-sequences": scsiSequence,
  "plan9-sequences": plan9Sequence,
  "vpci-sequences": vpciSequence,
};

/** Plays one step. @returns What is recorded of it beside its calls. */
async function playStep(
  step: JsonObject,
  sequence: Sequence,
  ids: Map<string, string>,
): Promise<JsonObject> {
  const id = ids.get(textOf(step.ref)) ?? "";
  switch (step.op) {
    case "reserve":
      ids.set(textOf(step.as), await sequence.reserve(step));
      return {};
    case "map": {
      const guestPath = await sequence.map(id);
      return sequence.hasPaths ? { guestPath } : {};
    }
    case "unmap":
      await sequence.unmap(id);
      return {};
  }
  throw new ShimError("NotImplemented", `no step is called "${step.op}"`);
}

/**
 * Plays the steps of a case.
 *
 * @param group For example `scsi-sequences`.
 * @param input The input of the case.
 */
export async function runSequence(
  group: string,
  input: JsonObject,
): Promise<JsonObject> {
  const begin = sequences[group];
  if (begin === undefined) {
    throw new ShimError("NotImplemented", `no devices are called "${group}"`);
  }
  const calls = new CallList(listOf(input.failures));
  const { bootDisk } = input;
  const sequence = begin(
    new DeviceControllers(calls.peers, {
      scsiControllers: Number(input.scsiControllers ?? 4),
      noWritableFileShares: isTrue(input.noWritableFileShares),
      bootDisk: bootDisk === undefined ? undefined : {
        hostPath: textOf(objectOf(bootDisk).path),
        readOnly: true,
        type: "VirtualDisk",
      },
    }),
  );
  const ids = new Map<string, string>();
  const steps: JsonObject[] = [];
  for (const step of objectsOf(input.steps)) {
    const { op, as, ref } = step;
    const result: JsonObject = {
      ...(op === undefined ? {} : { op }),
      ...(as === undefined ? {} : { as }),
      ...(ref === undefined ? {} : { ref }),
    };
    let more: JsonObject;
    try {
      more = await playStep(step, sequence, ids);
    } catch (error) {
      const { code, message } = errorOf(error);
      const id = ids.get(textOf(ref)) ?? "";
      const named = id === ""
        ? textOf(message)
        : textOf(message).replaceAll(id, sequence.nameOf(id));
      more = { error: { code: textOf(code), message: named } };
    }
    steps.push({ ...result, calls: calls.take(), ...more });
  }
  return objectOf(numberIds({ calls: [], steps }, formatJson(input)));
}
