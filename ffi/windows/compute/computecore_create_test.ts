import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import { scriptedRuntimeId } from "../../mock/scripted.ts";
import { ScriptedCoreService } from "../../mock/scripted_core_service.ts";

const document = { Owner: "é💾", Big: 18446744073709551615n };

/** The calls of one tracked request. */
const tracked = (symbol: string): string[] => [
  "HcsCreateOperation",
  symbol,
  "HcsGetOperationResult",
  "HcsCloseOperation",
];

/** The calls that end a system. */
const terminating = [
  "HcsCreateOperation",
  "HcsTerminateComputeSystem",
  "HcsCloseOperation",
  "HcsCloseComputeSystem",
];

Deno.test("create() makes the system, registers and asks for its RuntimeId, each in its own operation", async () => {
  using bench = new ScriptedCoreService();
  const { library, compute } = bench;
  const system = await compute.create("pod1@vm", document);
  assertEquals([system.id, system.runtimeId], ["pod1@vm", scriptedRuntimeId]);
  assertEquals(library.called, [
    ...tracked("HcsCreateComputeSystem"),
    "HcsSetComputeSystemCallback",
    ...tracked("HcsGetComputeSystemProperties"),
  ]);
  assertEquals(library.calls[1]!.args, [
    "pod1@vm",
    '{"Owner":"é💾","Big":18446744073709551615}',
  ]);
  const [, options, context] = library.calls[4]!.args;
  assertEquals([options, context], [4n, 1n], "live migration events, a number");
  await system.close();
  assertEquals(library.called.at(-1), "HcsCloseComputeSystem");
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() takes a completion that comes before the call returns", async () => {
  using bench = new ScriptedCoreService();
  bench.library.on("HcsCreateComputeSystem", { completes: "before" });
  const system = await bench.compute.create("pod1@vm", {});
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() that the function refuses gives its error document, and leaves nothing", async () => {
  using bench = new ScriptedCoreService();
  const { library, compute } = bench;
  library.on("HcsCreateComputeSystem", {
    hresult: 0x8037010f,
    result: '{"ErrorEvents":[{"Message":"pod1@vm is taken"}]}',
  });
  const error = await assertRejects(
    () => compute.create("pod1@vm", {}),
    HResultError,
    "hcs::CreateComputeSystem pod1@vm: pod1@vm is taken: HCS_E_SYSTEM_ALREADY_EXISTS (0x8037010F)",
  );
  assertEquals(error.code, "AlreadyExists");
  assertEquals(library.called, tracked("HcsCreateComputeSystem"));
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() whose operation fails closes, and does not terminate: the id may be another's", async () => {
  using bench = new ScriptedCoreService();
  const { library, compute } = bench;
  library.on("HcsCreateComputeSystem", {
    completion: { hresult: 0x80070005, document: '{"ErrorMessage":"no disk"}' },
  });
  await assertRejects(
    () => compute.create("pod1@vm", {}),
    HResultError,
    "hcs::CreateComputeSystem pod1@vm: no disk: E_ACCESSDENIED",
  );
  assertEquals(library.called, [
    ...tracked("HcsCreateComputeSystem"),
    "HcsCloseComputeSystem",
  ]);
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() whose completion never comes is cancelled, terminated and closed", async () => {
  using bench = new ScriptedCoreService();
  const { library, compute, clock } = bench;
  library.on("HcsCreateComputeSystem", { completes: "later" });
  const rejected = assertRejects(
    () => compute.create("pod1@vm", {}),
    ShimError,
    "hcs::CreateComputeSystem pod1@vm: timeout waiting for HcsCreateComputeSystem (240 s)",
  );
  await clock.advance(defaultTimeouts.systemCreate);
  assertEquals((await rejected).code, "DeadlineExceeded");
  await clock.advance(0);
  const called = library.called.toSorted();
  assertEquals(
    called,
    [
      "HcsCreateOperation",
      "HcsCreateComputeSystem",
      "HcsCancelOperation",
      "HcsCloseOperation",
      ...terminating,
    ].toSorted(),
  );
  assertEquals(bench.leftovers(), []);
});

Deno.test("a create that returns after its caller has gone is terminated and closed behind the scenes", async () => {
  using bench = new ScriptedCoreService();
  const { library, compute, clock } = bench;
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  library.on("HcsCreateComputeSystem", { gate, completes: "later" });
  const controller = new AbortController();
  const rejected = assertRejects(
    () => compute.create("pod1@vm", {}, controller.signal),
    ShimError,
    "the client went away",
  );
  await clock.advance(0);
  controller.abort(new ShimError("Canceled", "the client went away"));
  await rejected;
  assertEquals(library.called.length, 2, "its operation is still in use");
  resolve();
  await clock.advance(0);
  for (const symbol of ["HcsCancelOperation", ...terminating]) {
    assert(library.called.includes(symbol), symbol);
  }
  assertEquals(bench.leftovers(), []);
});

for (
  const [name, symbol, script] of [
    ["registration", "HcsSetComputeSystemCallback", { hresult: 0x80004005 }],
    ["query", "HcsGetComputeSystemProperties", { hresult: 0x80004005 }],
    ["reply", "HcsGetComputeSystemProperties", {
      completion: { document: "{" },
    }],
    ["RuntimeId", "HcsGetComputeSystemProperties", {
      completion: { document: '{"Id":"a"}' },
    }],
  ] as const
) {
  Deno.test(`create() whose ${name} fails terminates and closes; open() only closes`, async () => {
    using bench = new ScriptedCoreService();
    const { library, compute } = bench;
    library.on(symbol, script);
    await assertRejects(() => compute.create("pod1@vm", {}), ShimError);
    assert(library.called.includes("HcsTerminateComputeSystem"));
    assertEquals(bench.leftovers(), []);
    library.calls.length = 0;
    library.on(symbol, script);
    await assertRejects(() => compute.open("pod1@vm"), ShimError);
    assert(!library.called.includes("HcsTerminateComputeSystem"));
    assertEquals(bench.leftovers(), []);
  });
}
