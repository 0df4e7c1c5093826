import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { FakeClock } from "../../../base/clock.ts";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { jsonLogger } from "../../../base/log.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import { ScriptedComputeNetwork } from "../../mock/scripted_network.ts";
import { blockingSlots } from "../library/native_calls.ts";
import { ComputeNetwork } from "./computenetwork.ts";

const namespaceId = "a0000000-0000-1000-8000-0000000000a1";
const endpointId = "e0000000-0000-1000-8000-000000000002";
const networkId = "c0000000-0000-1000-8000-0000000000c1";

/** A network service over a scripted DLL. */
function setUp() {
  const library = new ScriptedComputeNetwork();
  const clock = new FakeClock();
  const lines: string[] = [];
  const network = new ComputeNetwork(library, {
    clock,
    slots: blockingSlots(4),
    log: jsonLogger((line) => lines.push(line)),
  });
  const leftovers = () => [
    ...library.leftovers(),
    ...(clock.sleepers === 0 ? [] : ["timers"]),
  ];
  return { library, clock, lines, network, leftovers };
}

/** The two lookups, which differ in names only. */
const lookups = [
  {
    kind: "Namespace",
    id: namespaceId,
    call: (network: ComputeNetwork, id: string, signal?: AbortSignal) =>
      network.namespace(id, signal),
  },
  {
    kind: "Endpoint",
    id: endpointId,
    call: (network: ComputeNetwork, id: string, signal?: AbortSignal) =>
      network.endpoint(id, signal),
  },
] as const;
for (const { kind, id, call } of lookups) {
  const list = `HcnEnumerate${kind}s` as const;
  const open = `HcnOpen${kind}` as const;
  const ask = `HcnQuery${kind}Properties` as const;
  const close = `HcnClose${kind}` as const;
  const given = id.toUpperCase(); // the service compares without regard to case
  const query =
    `{"SchemaVersion":{"Major":2,"Minor":0},"Filter":"{\\"ID\\":\\"${given}\\"}"}`;

  Deno.test(`${kind}: enumerate with the id as received, open, query with the same text, close`, async () => {
    const { library, network, leftovers } = setUp();
    library.on(list, { value: JSON.stringify([id]) });
    assertEquals((await call(network, given)).id, given);
    assertEquals(
      library.calls.map(({ symbol, args }) => [symbol, args.at(-1)]),
      [
        [list, query],
        [open, id],
        [ask, query],
        [close, library.calls[2]!.args[0]],
      ],
    );
    assertEquals(leftovers(), []);
  });

  Deno.test(`${kind}: an empty list is NotFound with its id`, async () => {
    const { library, network, leftovers } = setUp();
    const error = await assertRejects(
      () => call(network, id),
      ShimError,
      `${kind} ID "${id}" not found`,
    );
    assertEquals(error.code, "NotFound");
    assertEquals(library.called, [list]);
    assertEquals(leftovers(), []);
  });

  for (const symbol of [list, open, ask]) {
    const subject = `h${symbol.slice(1)} ${id}: `;

    Deno.test(`${symbol}: failure, success with a record, absence and silence leave nothing`, async () => {
      const { library, clock, network, leftovers } = setUp();
      const begin = (): void => {
        const value = JSON.stringify([id]);
        if (symbol !== list) library.on(list, { value });
      };
      const record = JSON.stringify({
        Success: false,
        Error: "The network was not found. ",
        ErrorCode: 0x803b0001,
      });
      for (
        const script of [
          { hresult: 0x803b0001, result: record, value: "{}", handle: 7n },
          { hresult: 0, result: record },
        ]
      ) {
        begin();
        library.on(symbol, script);
        const refused = await assertRejects(
          () => call(network, id),
          HResultError,
          `${subject}The network was not found: HCN_E_NETWORK_NOT_FOUND (0x803B0001)`,
        );
        assertEquals(refused.code, "NotFound");
        assertEquals(leftovers(), []);
      }
      begin();
      library.on(symbol, { result: "a record that is no document" });
      await assertRejects(() => call(network, id), HResultError, "E_FAIL");
      assertEquals(leftovers(), []);

      begin();
      const { promise: gate, resolve } = Promise.withResolvers<void>();
      library.on(symbol, { gate, value: JSON.stringify([id]), result: "late" });
      const late = assertRejects(
        () => call(network, id),
        ShimError,
        "timeout waiting for",
      );
      await clock.advance(defaultTimeouts.systemCall);
      assertEquals((await late).code, "DeadlineExceeded");
      resolve();
      await clock.advance(0);
      assertEquals(leftovers(), []);

      begin();
      library.lack(symbol);
      const missing = await assertRejects(() => call(network, id), ShimError);
      assertEquals(missing.code, "NotImplemented");
      assertStringIncludes(missing.message, symbol);
      assertEquals(leftovers(), []);
    });
  }

  const garbage: [keyof ScriptedComputeNetwork["symbols"], string | null][] = [
    [list, null],
    [list, ""],
    [list, "{"],
    [list, "{}"],
    [list, "[7]"],
    [list, '["no guid"]'],
    [ask, null],
    [ask, ""],
    [ask, "{"],
  ];
  for (const [symbol, value] of garbage) {
    Deno.test(`${symbol}: the reply ${value} is no answer`, async () => {
      const { library, network, leftovers } = setUp();
      if (symbol !== list) library.on(list, { value: JSON.stringify([id]) });
      library.on(symbol, { value });
      const error = await assertRejects(
        () => call(network, id),
        ShimError,
        "unexpected value returned from hcn",
      );
      assertEquals(error.code, "Internal");
      assertEquals(leftovers(), []);
    });
  }

  Deno.test(`${kind}: a handle is closed when its caller has gone, and a failing close fails nothing`, async () => {
    const { library, clock, lines, network, leftovers } = setUp();
    const { promise: gate, resolve } = Promise.withResolvers<void>();
    library.on(list, { value: JSON.stringify([id]) }).on(open, { gate });
    const controller = new AbortController();
    const reason = new ShimError("Canceled", "the client went away");
    const rejected = assertRejects(
      () => call(network, id, controller.signal),
      ShimError,
    );
    await clock.advance(0);
    controller.abort(reason);
    assertStrictEquals(await rejected, reason);
    resolve();
    await clock.advance(0);
    assertEquals(library.called, [list, open, close]);
    assertEquals(leftovers(), []);
    library.on(list, { value: JSON.stringify([id]) });
    library.on(close, { hresult: 0x80070006 });
    await call(network, id);
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0]!, `hcnClose${kind}`);
  });

  Deno.test(`${kind}: a success without a handle is refused`, async () => {
    const { library, network, leftovers } = setUp();
    library.on(list, { value: JSON.stringify([id]) }).on(open, { handle: 0n });
    await assertRejects(() => call(network, id), ShimError, "no handle");
    assertEquals(leftovers(), []);
  });
}

Deno.test("networks() lists them without a filter; one that has gone is left out, other errors are not", async () => {
  const { library, network, leftovers } = setUp();
  const ids = JSON.stringify([networkId, endpointId, namespaceId]);
  library.on("HcnEnumerateNetworks", { value: ids })
    .on("HcnOpenNetwork", {})
    .on("HcnOpenNetwork", { hresult: 0x803b0001, handle: 0n })
    .on("HcnQueryNetworkProperties", {
      value: JSON.stringify({ ID: networkId, Name: "nat", Type: "NAT" }),
    });
  assertEquals(await network.networks(), [
    { id: networkId, name: "nat", type: "NAT" },
    { id: namespaceId, name: "", type: "" },
  ]);
  assertEquals(
    library.calls[0]!.args,
    ['{"SchemaVersion":{"Major":2,"Minor":0}}'],
  );
  library.on("HcnEnumerateNetworks", { value: ids })
    .on("HcnQueryNetworkProperties", { hresult: 0x80070005, value: null });
  await assertRejects(() => network.networks(), HResultError, "ACCESSDENIED");
  assertEquals(leftovers(), []);
});
