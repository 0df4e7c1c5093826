import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { type Asked, machineOf } from "../testing/document_input.ts";

function count(asked: Asked): number {
  return machineOf(asked).ComputeTopology.Processor.Count;
}

function size(asked: Asked): bigint | undefined {
  return machineOf(asked).ComputeTopology.Memory.SizeInMB;
}

function refusal(asked: Asked): ShimError {
  return assertThrows(() => machineOf(asked), ShimError);
}

Deno.test("host:N2 host:O2 processors come from annotation, option, default, and are clamped to the host", () => {
  const rows: readonly [Asked, number][] = [
    [{}, 2],
    [{ options: { vmProcessorCount: 3 } }, 3],
    [
      {
        options: { vmProcessorCount: 3 },
        annotations: { processorCount: "5" },
      },
      5,
    ],
    [{ annotations: { processorCount: "0" } }, 2],
    [{ annotations: { processorCount: "-4" } }, 2],
    [{ options: { vmProcessorCount: -1 } }, 2],
    [{ annotations: { processorCount: "8" } }, 8],
    [{ annotations: { processorCount: "9" } }, 8],
    [{ annotations: { processorCount: "many" } }, 2],
    [{ host: { cpus: 1 } }, 1],
    [{ host: { logicalProcessors: 1 } }, 1],
  ];
  for (const [asked, expected] of rows) {
    assertEquals(count(asked), expected, JSON.stringify(asked));
  }
});

Deno.test("host:N3 limit and weight are unsigned; a CPU group excludes a resource partition", () => {
  const { Processor } = machineOf({
    annotations: { processorLimit: "2147483647", processorWeight: "-1" },
  }).ComputeTopology;
  assertEquals(
    [Processor.Limit, Processor.Weight],
    [2147483647, 4294967295],
  );
  const partition = "9d4b3d0f-0ee0-4b5f-8dcd-7a1b8b2a3c4d";
  const annotations = { resourcePartitionId: partition };
  assertEquals(machineOf({ annotations }).ResourcePartitionId, partition);
  const both = refusal({ annotations: { ...annotations, cpuGroupId: "g" } });
  assertEquals(
    both.message,
    "cpu_group_id and resource_partition_id cannot be set at the same time",
  );
  for (const resourcePartitionId of ["nope", `{${partition}}`]) {
    const bad = refusal({
      annotations: { resourcePartitionId, cpuGroupId: "g" },
    });
    assertEquals(bad.message.includes(`"${resourcePartitionId}"`), true);
    assertEquals(bad.code, "InvalidArgument");
  }
});

Deno.test("host:N3 a CPU group needs build 19043", () => {
  const annotations = { cpuGroupId: "group" };
  const { CpuGroup } = machineOf({ annotations }).ComputeTopology.Processor;
  assertEquals(CpuGroup, { Id: "group" });
  const error = refusal({ annotations, host: { build: 19042 } });
  assertEquals(error.code, "FailedPrecondition");
});

Deno.test("host:N4 host:O1 memory comes from annotation, option, default, and is even", () => {
  const annotation = (text: string): Asked => ({
    annotations: { memorySizeInMb: text },
  });
  const option = (vmMemorySizeInMb: number): Asked => ({
    options: { vmMemorySizeInMb },
  });
  const rows: readonly [Asked, bigint][] = [
    [{}, 1024n],
    [option(0), 1024n],
    [option(2048), 2048n],
    [option(2047), 2048n],
    [{ ...option(2048), ...annotation("512") }, 512n],
    [annotation("0"), 1024n],
    [annotation("1"), 2n],
    [annotation("lots"), 1024n],
    [annotation("18446744073709551614"), 2n ** 64n - 2n],
    [annotation("18446744073709551615"), 0n], // as 64 bits do
    [option(-2), 2n ** 64n - 2n], // as the peer reads a signed option
  ];
  for (const [asked, expected] of rows) {
    assertEquals(size(asked), expected, JSON.stringify(asked));
  }
});

Deno.test("host:N4 gaps for devices are carried as they are", () => {
  const { Memory } = machineOf({
    annotations: {
      lowMmioGapInMb: "128",
      highMmioBaseInMb: "18446744073709551615",
      highMmioGapInMb: "x",
    },
  }).ComputeTopology;
  assertEquals(
    [Memory.LowMmioGapInMB, Memory.HighMmioBaseInMB, Memory.HighMmioGapInMB],
    [128n, 2n ** 64n - 1n, 0n],
  );
});

Deno.test("host:N5 overcommit is off when asked for, and for a VM backed by memory", () => {
  const overcommit = (annotations: NonNullable<Asked["annotations"]>) =>
    machineOf({ annotations }).ComputeTopology.Memory.AllowOvercommit;
  assertEquals(overcommit({}), true);
  assertEquals(overcommit({ allowOvercommit: "false" }), false);
  assertEquals(overcommit({ fullyPhysicallyBacked: "true" }), false);
  assertEquals(
    overcommit({ fullyPhysicallyBacked: "true", allowOvercommit: "true" }),
    false,
  );
  // Such a VM could not have persistent memory anyway.
  machineOf({
    annotations: { fullyPhysicallyBacked: "true", vpmemMaximumCount: "4" },
  });
});

Deno.test("host:N6 deferred commit needs overcommit, the cold discard hint build 18967", () => {
  const deferred = { enableDeferredCommit: "true" };
  const hint = { enableColdDiscardHint: "true" };
  const { Memory } = machineOf({ annotations: { ...deferred, ...hint } })
    .ComputeTopology;
  assertEquals(
    [Memory.EnableDeferredCommit, Memory.EnableColdDiscardHint],
    [true, true],
  );
  const backed = { ...deferred, fullyPhysicallyBacked: "true" };
  assertEquals(
    refusal({ annotations: backed }).message,
    "enable_deferred_commit is not supported on physically backed vms",
  );
  const old = refusal({
    annotations: { ...backed, ...hint },
    host: { build: 18966 },
  });
  assertEquals(old.code, "FailedPrecondition"); // the build is looked at first
});
