import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { jsonLogger, scrubText } from "../../base/log.ts";
import { VirtualPciDevice } from "../../hcs/documents.gen.ts";
import {
  type Asked,
  documentInput,
  machineOf,
} from "../testing/document_input.ts";
import { hcsDocument } from "./document.ts";
import type { HostDevice } from "./options.ts";

const card = "PCIP\\VEN_10DE\\5&1";

function device(id: string, idType = "vpci"): HostDevice {
  return { id, idType };
}

/** The assigned devices as they are written, by their ids. */
function assigned(asked: Asked): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(machineOf(asked).Devices?.VirtualPci ?? {})
      .map(([id, device]) => [id, VirtualPciDevice.encode(device)]),
  );
}

function functionOf(path: string, index?: number): unknown {
  const at = index === undefined ? {} : { VirtualFunction: index };
  return { Functions: [{ DeviceInstancePath: path, ...at }] };
}

Deno.test("host:N14 vPCI devices, GPUs and virtual functions are assigned under fresh ids", () => {
  const devices = [
    device(card, "vpci-instance-id"),
    device(`${card}\\3`, "vpci"),
    device("PCIP\\GPU", "gpu"),
  ];
  assertEquals(assigned({ devices }), {
    "id-0": functionOf(card),
    "id-1": functionOf(card, 3),
    "id-2": functionOf("PCIP\\GPU"),
  });
});

Deno.test("host:N14 devices of unknown types are left out, with a warning", () => {
  const lines: string[] = [];
  const input = documentInput({
    devices: [device(card, "class"), device(card, "class"), device(card, "")],
  });
  const log = jsonLogger((line) => lines.push(line));
  const { document } = hcsDocument(input, log);
  assertEquals(document.VirtualMachine.Devices?.VirtualPci, undefined);
  assertEquals(lines.length, 3);
});

const twice: readonly (readonly [string, string])[] = [
  [card, card],
  [card, `${card}\\0`],
  [`${card}\\2`, `${card}/2`],
];

for (const [first, second] of twice) {
  Deno.test(`host:N14 ${first} and ${second} are the same function, which is refused`, () => {
    const error = assertThrows(
      () => machineOf({ devices: [device(first), device(second, "gpu")] }),
      ShimError,
      "is specified multiple times",
    );
    assertEquals(error.code, "InvalidArgument");
    assertEquals(error.message.includes(card), true);
  });
}

Deno.test("host:N7 persistent memory is refused, its size alone means nothing", () => {
  machineOf({ annotations: { vpmemMaximumCount: "0" } });
  machineOf({
    others: {
      "io.microsoft.virtualmachine.devices.virtualpmem.maximumsizebytes": "9",
    },
  });
  const error = assertThrows(
    () => machineOf({ annotations: { vpmemMaximumCount: "1" } }),
    ShimError,
    "v2 shims do not support vPMem devices",
  );
  assertEquals(error.code, "InvalidArgument");
  machineOf({
    annotations: { vpmemMaximumCount: "1" },
    host: { arch: "arm64" },
  });
});

Deno.test("devices are placed near their memory when the service parts the processors", () => {
  const devices = [device(card)];
  const implicit = {
    allowOvercommit: "false",
    numaMaxProcessorsPerNode: "2",
    numaMaxSizePerNode: "512",
  };
  const written = {
    allowOvercommit: "false",
    numaMappedPhysicalNodes: "0",
    numaCountOfProcessors: "2",
    numaCountOfMemoryBlocks: "1024",
  };
  const affinity = (annotations: NonNullable<Asked["annotations"]>) =>
    machineOf({ devices, annotations }).Devices?.VirtualPci?.["id-0"]
      ?.PropagateNumaAffinity;
  assertEquals(affinity(implicit), true);
  assertEquals([affinity({}), affinity(written)], [false, false]);
});

Deno.test("host:N15 a serial console is a named pipe of this host", () => {
  const pipe = "\\\\.\\pipe\\console";
  const ports = (consolePipe: string) =>
    machineOf({ annotations: { consolePipe } }).Devices?.ComPorts;
  assertEquals(ports(pipe), { "0": { NamedPipe: pipe } });
  assertEquals(ports(""), undefined);
  for (const bad of ["C:\\pipe", "\\\\server\\pipe\\x", "\\\\.\\PIPE\\x"]) {
    const error = assertThrows(() => ports(bad), ShimError, `"${bad}"`);
    assertEquals(error.code, "InvalidArgument");
  }
});

const table = "io.microsoft.virtualmachine.hv-socket.service-table.";
const service = "0000abcd-FACB-11e6-bd58-64006a7986d3";

function services(others: Record<string, string>): unknown {
  return machineOf({ others }).Devices?.HvSocket?.HvSocketConfig?.ServiceTable;
}

Deno.test("host:N16 services come from annotations, by their ids in lower case", () => {
  assertEquals(
    services({
      [`${table}${service}`]: '{"BindSecurityDescriptor":"D:P(A;;FA;;;WD)"}',
      [`${table}0000abce-facb-11e6-bd58-64006a7986d3`]:
        '{"allowWildcardBinds":true,"Disabled":true}',
    }),
    {
      "0000abcd-facb-11e6-bd58-64006a7986d3": {
        BindSecurityDescriptor: "D:P(A;;FA;;;WD)",
      },
      "0000abce-facb-11e6-bd58-64006a7986d3": {
        AllowWildcardBinds: true,
        Disabled: true,
      },
    },
  );
});

Deno.test("host:N16 bad ids and bad JSON are left out, what is right stays", () => {
  assertEquals(services({ [`${table}nope`]: "{}" }), undefined);
  assertEquals(services({ [`${table}{${service}}`]: "{}" }), undefined);
  for (const bad of ["", "not json", "[]", '{"Disabled":"yes"}']) {
    assertEquals(services({ [table + service]: bad }), undefined, bad);
  }
  assertEquals(
    services({
      [table + service]: "{",
      [`${table}0000abce-facb-11e6-bd58-64006a7986d3`]: "{}",
    }),
    { "0000abce-facb-11e6-bd58-64006a7986d3": {} },
  );
});

Deno.test("a scrubbed log and errors leave out what annotations of a VM say", () => {
  const secret = "hunter6";
  const lines: string[] = [];
  const others = { [table + service]: `{"Disabled":"${secret}"}` };
  hcsDocument(
    documentInput({ others }),
    jsonLogger((line) => lines.push(line)),
  );
  assertEquals(lines.length, 1);
  assertEquals(JSON.parse(lines[0]!).annotation, table + service);
  assertEquals(lines[0]!.includes(secret), false, lines[0]);
  for (const name of ["consolePipe", "resourcePartitionId"] as const) {
    const { message } = assertThrows(
      () => machineOf({ annotations: { [name]: secret } }),
      ShimError,
      secret,
    );
    assertEquals(scrubText(message).includes(secret), false, message);
  }
});
