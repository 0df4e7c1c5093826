import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { difference } from "./compare.ts";
import { runSequence } from "./device_sequences.ts";
import { sequenceWithoutHoles } from "./sequence_model.ts";

function disk(as: string, path: string, partition = 0): JsonObject {
  return {
    op: "reserve",
    as,
    disk: { HostPath: path, ReadOnly: true, Type: "VirtualDisk", EVDType: "" },
    mount: { Partition: partition, ReadOnly: true, Options: null },
  };
}

function share(as: string, path: string): JsonObject {
  return {
    op: "reserve",
    as,
    share: {
      HostPath: path,
      ReadOnly: false,
      Restrict: false,
      AllowedNames: null,
    },
    mount: { ReadOnly: false },
  };
}

function device(as: string, id: string): JsonObject {
  return {
    op: "reserve",
    as,
    device: { DeviceInstanceID: id, VirtualFunctionIndex: 0 },
  };
}

const map = (ref: string): JsonObject => ({ op: "map", ref });
const unmap = (ref: string): JsonObject => ({ op: "unmap", ref });

const holes: readonly [what: string, group: string, input: JsonObject][] = [
  ["a disk that was never mapped", "scsi-sequences", {
    steps: [
      disk("a", "C:\\1"),
      unmap("a"),
      disk("b", "C:\\2"),
      map("b"),
      disk("c", "C:\\1"),
      map("c"),
    ],
  }],
  ["a disk whose mount failed, with another partition", "scsi-sequences", {
    failures: ["guest#2"],
    steps: [
      disk("a", "C:\\1", 1),
      map("a"),
      disk("b", "C:\\1", 2),
      map("b"),
      unmap("b"),
      map("b"),
      unmap("a"),
    ],
  }],
  ["two holders of a disk that cannot be attached", "scsi-sequences", {
    failures: ["vm#1"],
    steps: [
      disk("a", "C:\\1", 1),
      disk("b", "C:\\1", 2),
      map("a"),
      map("b"),
      unmap("a"),
      unmap("b"),
      disk("c", "C:\\1"),
      map("c"),
    ],
  }],
  ["the disk that the VM booted from", "scsi-sequences", {
    bootDisk: { controller: 0, lun: 0, path: "C:\\boot.vhd" },
    steps: [
      disk("a", "C:\\boot.vhd", 1),
      map("a"),
      disk("b", "C:\\2"),
      map("b"),
      unmap("a"),
      unmap("b"),
    ],
  }],
  ["a share that one of two holders gives back early", "plan9-sequences", {
    steps: [
      share("a", "C:\\x"),
      share("b", "C:\\x"),
      unmap("a"),
      map("b"),
      unmap("b"),
      unmap("b"),
    ],
  }],
  ["a device that one of two holders gives back early", "vpci-sequences", {
    steps: [
      device("a", "PCIP\\A"),
      device("b", "PCIP\\A"),
      unmap("a"),
      map("b"),
      unmap("b"),
    ],
  }],
];

for (const [what, group, input] of holes) {
  Deno.test(`the model agrees with us on ${what}`, async () => {
    const ours = await runSequence(group, input);
    const expected = sequenceWithoutHoles(input, { calls: [], steps: [] });
    assertEquals(expected === undefined, false);
    assertEquals(
      difference(textless(ours), textless(expected ?? {})),
      undefined,
    );
  });
}

/** Errors as the fact that there is one. */
function textless(output: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(
      output,
      (key, value) => key === "error" ? { failed: true } : value,
    ),
  );
}

Deno.test("the model says nothing where the peer has no hole", () => {
  const steps = [disk("a", "C:\\1"), map("a"), unmap("a")];
  assertEquals(sequenceWithoutHoles({ steps }, {}), undefined);
  const shares = [share("a", "C:\\x"), unmap("a")];
  assertEquals(sequenceWithoutHoles({ steps: shares }, {}), undefined);
  assertEquals(sequenceWithoutHoles({ steps: [] }, {}), undefined);
});
