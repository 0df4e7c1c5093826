import { assertEquals } from "@std/assert";
import { isJsonObject, type Json } from "../../../base/json.ts";
import {
  assertAgrees,
  list,
  object,
  playSteps,
  type StepResult,
} from "../../testing/device_golden.ts";
import { type GoldenCase, goldenCases } from "../../testing/golden.ts";
import type { DiskConfig, MountConfig } from "./config.ts";
import { ScsiController } from "./controller.ts";

function diskOf(value: Json | undefined): DiskConfig {
  const { HostPath, ReadOnly, Type, EVDType } = object(value);
  return {
    hostPath: String(HostPath),
    readOnly: ReadOnly === true,
    type: Type as DiskConfig["type"],
    evdType: String(EVDType ?? ""),
  };
}

function mountOf(value: Json | undefined): MountConfig {
  const mount = object(value);
  return {
    partition: Number(mount.Partition),
    readOnly: mount.ReadOnly === true,
    encrypted: mount.Encrypted === true,
    options: list(mount.Options).map(String),
    ensureFilesystem: mount.EnsureFilesystem === true,
    filesystem: String(mount.Filesystem ?? ""),
    blockDev: mount.BlockDev === true,
  };
}

function play(entry: GoldenCase): Promise<StepResult[]> {
  const { scsiControllers, bootDisk } = entry.input;
  return playSteps(entry, (peers) => {
    const scsi = new ScsiController(peers, Number(scsiControllers ?? 4));
    if (isJsonObject(bootDisk)) {
      const { controller, lun, path } = bootDisk;
      scsi.reserveRootfs(Number(controller), Number(lun), {
        hostPath: String(path),
        readOnly: true,
        type: "VirtualDisk",
      });
    }
    return {
      reserve: ({ disk, mount }) => scsi.reserve(diskOf(disk), mountOf(mount)),
      map: (id) => scsi.map(id),
      unmap: (id) => scsi.unmap(id),
    };
  });
}

/**
 * Where we differ by rule: a mount that failed in the guest can be given back
 * (the peer never detaches it), and the disk that the VM was created with is
 * neither attached again nor taken away.
 */
function isBetter({ input }: GoldenCase): boolean {
  const boot = object(input.bootDisk).path;
  return list(input.failures).includes("guest#1") ||
    boot !== undefined &&
      list(input.steps).some((step) =>
        object(object(step).disk).HostPath === boot
      );
}

Deno.test("SCSI sequences give the recorded requests, paths and refusals", async () => {
  const cases = await goldenCases("hcs-modify", ["scsi-sequences"]);
  if (cases === undefined) return;
  const judged = cases.filter((entry) => !isBetter(entry));
  for (const entry of judged) assertAgrees(entry, await play(entry));
  console.log(
    `scsi-sequences: ${judged.length} of ${cases.length} cases agree; ${
      cases.length - judged.length
    } differ on purpose`,
  );
});

Deno.test("SCSI sequences end without a disk where the peer leaves one behind", async () => {
  const cases = await goldenCases("hcs-modify", ["scsi-sequences"]);
  for (const entry of (cases ?? []).filter(isBetter)) {
    const last = (await play(entry)).at(-1);
    assertEquals(last?.error, undefined, entry.name);
  }
});
