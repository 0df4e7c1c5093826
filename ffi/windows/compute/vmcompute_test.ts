import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import { scriptedRuntimeId } from "../../mock/scripted.ts";
import { ScriptedService } from "../../mock/scripted_service.ts";
import type { VmCompute } from "./vmcompute.ts";
import type { VmComputeSymbols } from "../library/vmcompute.ts";

Deno.test("open() registers and asks for the RuntimeId; its failure closes, and never terminates", async () => {
  using bench = new ScriptedService();
  const { library, compute } = bench;
  const system = await compute.open("pod1@vm");
  assertEquals(system.runtimeId, scriptedRuntimeId);
  await system.close();
  library.on("HcsRegisterComputeSystemCallback", { hresult: 0x80004005 });
  await assertRejects(() => compute.open("pod1@vm"), HResultError, "E_FAIL");
  assert(!library.called.includes("HcsTerminateComputeSystem"));
  assertEquals(bench.leftovers(), []);
});

Deno.test("open() of an unknown system is NotFound", async () => {
  using bench = new ScriptedService();
  bench.library.on("HcsOpenComputeSystem", {
    hresult: HResult.SystemNotFound,
    result: "garbage",
  });
  const error = await assertRejects(
    () => bench.compute.open("nope"),
    HResultError,
    "hcs::OpenComputeSystem nope: HCS_E_SYSTEM_NOT_FOUND (0xC037010E)",
  );
  assertEquals(error.code, "NotFound");
  assertEquals(bench.leftovers(), []);
});

Deno.test("an open that returns late is closed, and the system lives on", async () => {
  using bench = new ScriptedService();
  const { library, compute, clock } = bench;
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  library.on("HcsOpenComputeSystem", { gate });
  const rejected = assertRejects(() => compute.open("a"), ShimError, "timeout");
  await clock.advance(defaultTimeouts.systemCall);
  await rejected;
  resolve();
  await clock.advance(0);
  assertEquals(library.called, [
    "HcsOpenComputeSystem",
    "HcsCloseComputeSystem",
  ]);
  assertEquals(bench.leftovers(), []);
});

Deno.test("enumerate() sends its query and gives rows with all their names", async () => {
  using bench = new ScriptedService();
  bench.library.on("HcsEnumerateComputeSystems", {
    value: JSON.stringify([
      { Id: "a", Owner: "o", RuntimeId: "r", State: "Running", Name: "x" },
      { id: "b" },
      { Owner: "no id" },
      7,
    ]),
    result: "",
  });
  assertEquals(await bench.compute.enumerate({ Ids: ["a"] }), [
    { Id: "a", Owner: "o", RuntimeId: "r", State: "Running" },
    { Id: "b", Owner: "", RuntimeId: "", State: "" },
  ]);
  assertEquals(bench.library.calls[0]!.args, ['{"Ids":["a"]}']);
  assertEquals(await bench.compute.enumerate({}), []);
  assertEquals(bench.leftovers(), []);
});

Deno.test("serviceProperties() gives the document without loss", async () => {
  using bench = new ScriptedService();
  bench.library.on("HcsGetServiceProperties", {
    value: '{"Memory":18446744073709551615}',
  });
  assertEquals(
    await bench.compute.serviceProperties({ PropertyTypes: ["Memory"] }),
    { Memory: 18446744073709551615n },
  );
  assertEquals(bench.leftovers(), []);
});

Deno.test("grantAccess() and revokeAccess() name VM and file", async () => {
  using bench = new ScriptedService();
  const { library, compute } = bench;
  await compute.grantAccess("vm", "C:\\a b.vhdx");
  await compute.revokeAccess("vm", "C:\\a b.vhdx");
  assertEquals(library.calls.map((call) => [call.symbol, ...call.args]), [
    ["GrantVmAccess", "vm", "C:\\a b.vhdx"],
    ["RevokeVmAccess", "vm", "C:\\a b.vhdx"],
  ]);
  library.on("GrantVmAccess", { hresult: 0x80070002 });
  const error = await assertRejects(
    () => compute.grantAccess("vm", "C:\\a b.vhdx"),
    HResultError,
    'hcs::GrantVmAccess vm "C:\\a b.vhdx": ERROR_FILE_NOT_FOUND (0x80070002)',
  );
  assertEquals(error.code, "NotFound");
});

/** Calls of the service itself: symbol, its call, and a reply that is garbage to it. */
const serviceCalls: [
  keyof VmComputeSymbols,
  (compute: VmCompute) => Promise<unknown>,
  garbage: readonly (string | null)[],
][] = [
  ["HcsEnumerateComputeSystems", (c) => c.enumerate({}), [null, "", "{", "{}"]],
  ["HcsGetServiceProperties", (c) => c.serviceProperties({}), [null, "", "{"]],
  ["HcsOpenComputeSystem", (c) => c.open("a"), []],
  ["HcsCreateComputeSystem", (c) => c.create("a", {}), []],
  ["GrantVmAccess", (c) => c.grantAccess("a", "b"), []],
  ["RevokeVmAccess", (c) => c.revokeAccess("a", "b"), []],
];
for (const [symbol, call, garbage] of serviceCalls) {
  Deno.test(`${symbol}: failure, timeout and absence are reported, strings freed`, async () => {
    using bench = new ScriptedService();
    const { library, compute, clock } = bench;
    library.on(symbol, {
      hresult: 0x80070005,
      handle: 0n,
      value: "{}",
      result: '{"ErrorMessage":"not you"}',
    });
    const refused = await assertRejects(() => call(compute), HResultError);
    assertEquals(refused.code, "PermissionDenied");
    const { promise: gate, resolve } = Promise.withResolvers<void>();
    library.on(symbol, { gate, hresult: 0x80004005, handle: 0n });
    const late = assertRejects(
      () => call(compute),
      ShimError,
      `timeout waiting for ${symbol}`,
    );
    await clock.advance(240_000);
    assertEquals((await late).code, "DeadlineExceeded");
    resolve();
    await clock.advance(0);
    library.lack(symbol);
    const missing = await assertRejects(() => call(compute), ShimError, symbol);
    assertEquals(missing.code, "NotImplemented");
    assertEquals(bench.leftovers(), []);
  });
  for (const value of garbage) {
    Deno.test(`${symbol}: the reply ${value} is no answer`, async () => {
      using bench = new ScriptedService();
      bench.library.on(symbol, { value });
      const error = await assertRejects(
        () => call(bench.compute),
        ShimError,
        "unexpected value returned from hcs",
      );
      assertEquals(error.code, "Internal");
      assertEquals(bench.leftovers(), []);
    });
  }
}

Deno.test("all systems share one native callback and the slots", async () => {
  using bench = new ScriptedService();
  const { library, compute } = bench;
  const ids = Array.from({ length: 20 }, (_, i) => `pod${i}@vm`);
  const systems = await Promise.all(ids.map((id) => compute.create(id, {})));
  assertEquals([library.functions, library.peak], [1, 4]);
  await Promise.all(systems.map((system) => system.close()));
  assertEquals(library.peak, 4);
  assertEquals(bench.leftovers(), []);
});
