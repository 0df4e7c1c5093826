import { assertEquals } from "@std/assert";
import { messageOf, ShimError } from "../../../base/errors.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../../../base/json.ts";
import {
  type GoldenCase,
  goldenCases,
  quotedValues,
} from "../../testing/golden.ts";
import type { DiskConfig, MountConfig } from "./config.ts";
import { ScsiController } from "./controller.ts";

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

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

/** As it is on the wire: numbers that fit are numbers. */
function plain(value: unknown): Json {
  return parseJson(formatJson(value));
}

/** Plays the steps of a case, and gives for each what was said and what came out. */
async function play({ input }: GoldenCase): Promise<JsonObject[]> {
  const failures = list(input.failures);
  const counts = { vm: 0, guest: 0 };
  let calls: Json[] = [];
  const peer = (to: "vm" | "guest") => ({
    modify: (request: unknown): Promise<void> => {
      const fails = failures.includes(`${to}#${++counts[to]}`);
      calls.push({
        to,
        request: plain(request),
        ...(fails ? { fails: "injected failure" } : {}),
      });
      return fails
        ? Promise.reject(new ShimError("Unknown", "injected failure"))
        : Promise.resolve();
    },
  });
  const scsi = new ScsiController(
    { vm: peer("vm"), guest: peer("guest") },
    Number(input.scsiControllers ?? 4),
  );
  if (isJsonObject(input.bootDisk)) {
    const { controller, lun, path } = input.bootDisk;
    scsi.reserveRootfs(Number(controller), Number(lun), {
      hostPath: String(path),
      readOnly: true,
      type: "VirtualDisk",
    });
  }
  const ids = new Map<string, string>();
  const results: JsonObject[] = [];
  for (const step of list(input.steps).map(object)) {
    calls = [];
    const id = ids.get(String(step.ref)) ?? "";
    const result: JsonObject = {};
    try {
      if (step.op === "reserve") {
        const reserved = await scsi.reserve(
          diskOf(step.disk),
          mountOf(step.mount),
        );
        ids.set(String(step.as), reserved);
      } else if (step.op === "map") result.guestPath = await scsi.map(id);
      else await scsi.unmap(id);
    } catch (error) {
      result.error = messageOf(error);
    }
    results.push({ ...result, calls });
  }
  return results;
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
  for (const entry of judged) {
    const ours = await play(entry);
    list(entry.output.steps).map(object).forEach((theirs, index) => {
      const where = `${entry.name}, step ${index}`;
      const our = ours[index] ?? {};
      assertEquals(our.calls, list(theirs.calls), where);
      assertEquals(our.guestPath, theirs.guestPath, where);
      assertEquals(our.error === undefined, theirs.error === undefined, where);
      for (const value of quotedValues(String(theirs.error ?? ""))) {
        assertEquals(String(our.error).includes(value), true, where);
      }
    });
  }
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
