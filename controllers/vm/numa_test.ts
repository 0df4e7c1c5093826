import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { jsonLogger } from "../../base/log.ts";
import type { NumaSetting } from "../../hcs/documents.gen.ts";
import {
  type Asked,
  documentInput,
  machineOf,
} from "../testing/document_input.ts";
import { hcsDocument } from "./document.ts";
import { requireConsistent } from "./numa.ts";

type Named = NonNullable<Asked["annotations"]>;

const options = { vmProcessorCount: 4, vmMemorySizeInMb: 2048 };

function topology(annotations: Named) {
  return machineOf({
    annotations: { allowOvercommit: "false", ...annotations },
    options,
  }).ComputeTopology;
}

function refused(annotations: Named, text: string, host = {}): void {
  assertThrows(
    () =>
      machineOf({
        annotations: { allowOvercommit: "false", ...annotations },
        options,
        host,
      }),
    ShimError,
    text,
  );
}

const implicit: Named = {
  numaMaxProcessorsPerNode: "2",
  numaMaxSizePerNode: "1024",
};

const explicit: Named = {
  numaMappedPhysicalNodes: "1,0",
  numaCountOfProcessors: "3,1",
  numaCountOfMemoryBlocks: "1536,512",
};

Deno.test("host:N22 implicit NUMA gives sizes to the service, and wins over explicit", () => {
  const expected = {
    numa: { PreferredPhysicalNodes: [0, 1], MaxSizePerNode: 1024n },
    processors: { count_per_node: { max: 2 } },
    slit: "FirmwareFallbackMeasured",
  };
  for (const annotations of [implicit, { ...explicit, ...implicit }]) {
    const { Numa, Processor, Memory } = topology({
      ...annotations,
      numaPreferredPhysicalNodes: "0,1",
    });
    assertEquals(Numa, expected.numa);
    assertEquals(Processor.NumaProcessorsSettings, expected.processors);
    assertEquals(Memory.SlitType, expected.slit);
  }
  refused({ numaMaxProcessorsPerNode: "2" }, "max size per node must be set");
});

Deno.test("host:N22 explicit NUMA writes every node down", () => {
  const { Numa, Processor, Memory } = topology(explicit);
  assertEquals(Numa, {
    VirtualNodeCount: 2,
    PreferredPhysicalNodes: [],
    Settings: [
      {
        VirtualNodeNumber: 0,
        PhysicalNodeNumber: 1,
        VirtualSocketNumber: 0,
        CountOfProcessors: 3,
        CountOfMemoryBlocks: 1536n,
        MemoryBackingType: "Physical",
      },
      {
        VirtualNodeNumber: 1,
        PhysicalNodeNumber: 0,
        VirtualSocketNumber: 1,
        CountOfProcessors: 1,
        CountOfMemoryBlocks: 512n,
        MemoryBackingType: "Physical",
      },
    ],
  });
  assertEquals(Processor.NumaProcessorsSettings, undefined);
  assertEquals(Memory.SlitType, "FirmwareFallbackMeasured");
});

Deno.test("host:N22 annotations without effect give no topology, but a warning", () => {
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line));
  const { document } = hcsDocument(
    documentInput({
      annotations: {
        numaPreferredPhysicalNodes: "0",
        numaMappedPhysicalNodes: "a",
      },
    }),
    log,
  );
  const { Numa, Memory } = document.VirtualMachine.ComputeTopology;
  assertEquals([Numa, Memory.SlitType], [undefined, undefined]);
  assertEquals(
    lines.filter((line) => line.includes("no NUMA topology")).length,
    1,
  );
});

const mismatches: readonly Named[] = [
  { ...explicit, numaCountOfProcessors: "4" },
  { ...explicit, numaCountOfMemoryBlocks: "1024,512,512" },
  { numaMappedPhysicalNodes: "0,1" },
];

for (const annotations of mismatches) {
  Deno.test(`host:N22 lists of different lengths are refused: ${JSON.stringify(annotations)}`, () => {
    refused(annotations, "mismatch in number of physical numa nodes");
  });
}

Deno.test("host:N22 a topology needs physical memory, build 26100 and the whole VM", () => {
  refused(
    { ...explicit, allowOvercommit: "true" },
    "vNUMA supports only Physical memory backing type",
  );
  refused(implicit, "not supported on builds older than 26100", {
    build: 26099,
  });
  refused(
    { ...explicit, numaCountOfProcessors: "3,2" },
    "vNUMA total processors 5 does not match UVM processors 4",
  );
  refused(
    { ...explicit, numaCountOfMemoryBlocks: "1536,513" },
    "vNUMA total memory 2049 does not match UVM memory 2048",
  );
});

function node(
  virtual: number,
  physical: number,
  processors = 1,
  memory = 2n,
): NumaSetting {
  return {
    VirtualNodeNumber: virtual,
    PhysicalNodeNumber: physical,
    CountOfProcessors: processors,
    CountOfMemoryBlocks: memory,
  };
}

Deno.test("host:O3 nodes up to their limits are right", () => {
  const right: readonly NumaSetting[][] = [
    [],
    [node(0, 63)],
    [node(64, 0)],
    [node(0, 255), node(1, 255)],
    [node(0, 0, 0), node(1, 0)], // one node may have no processors
  ];
  for (const settings of right) requireConsistent(settings);
});

const wrong: readonly [string, readonly NumaSetting[]][] = [
  ["virtual node number 65 exceeds", [node(65, 64)]],
  ["physical node number 64 exceeds", [node(0, 64, 0, 0n)]],
  ["wildcard (255) and non-wildcard (3)", [node(0, 255), node(1, 3)]],
  ["wildcard (255) and non-wildcard (3)", [node(0, 3), node(1, 255)]],
  ["nodes with no memory", [node(0, 0), node(0, 0, 1, 0n)]],
  ["number 0 is used twice", [node(0, 0, 0), node(0, 1, 0)]],
  ["partial resource allocation", [node(0, 0, 0), node(1, 0, 0)]],
];

for (const [text, settings] of wrong) {
  Deno.test(`host:N22 host:O3 nodes are refused: ${text}`, () => {
    const error = assertThrows(
      () => requireConsistent(settings),
      ShimError,
      text,
    );
    assertEquals(error.code, "InvalidArgument");
  });
}
