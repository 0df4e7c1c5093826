import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import { ScriptedCoreService } from "../../mock/scripted_core_service.ts";

Deno.test("open() asks for full access and needs no operation", async () => {
  using bench = new ScriptedCoreService();
  const { library, compute } = bench;
  const system = await compute.open("pod1@vm");
  assertEquals(library.calls[0], {
    symbol: "HcsOpenComputeSystem",
    args: ["pod1@vm", 0x10000000n],
  });
  await system.close();
  library.on("HcsOpenComputeSystem", { hresult: 0x8037010e });
  const error = await assertRejects(
    () => compute.open("nope"),
    HResultError,
    "hcs::OpenComputeSystem nope: HCS_E_SYSTEM_NOT_FOUND (0x8037010E)",
  );
  assertEquals(error.code, "NotFound");
  assertEquals(bench.leftovers(), []);
});

Deno.test("an open that returns late is closed, and the system lives on", async () => {
  using bench = new ScriptedCoreService();
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

Deno.test("a success without a handle is refused", async () => {
  using bench = new ScriptedCoreService();
  bench.library.on("HcsCreateComputeSystem", { handle: 0n });
  bench.library.on("HcsOpenComputeSystem", { handle: 0n });
  const { compute } = bench;
  await assertRejects(() => compute.create("a", {}), ShimError, "no handle");
  await assertRejects(() => compute.open("a"), ShimError, "no handle");
  assertEquals(bench.leftovers(), []);
});

Deno.test("the first error wins over those of the clean-up, which are logged", async () => {
  using bench = new ScriptedCoreService();
  bench.library
    .on("HcsGetComputeSystemProperties", { hresult: 0x80070005 })
    .on("HcsTerminateComputeSystem", { throws: new Error("crashed") });
  await assertRejects(
    () => bench.compute.create("pod1@vm", {}),
    HResultError,
    "hcs::System::Properties pod1@vm: E_ACCESSDENIED",
  );
  assertEquals(bench.lines.length, 1);
  assertStringIncludes(bench.lines.join(""), "crashed");
  await bench.clock.advance(0);
  assertEquals(bench.leftovers(), []);
});

Deno.test("without an operation no request is made", async () => {
  using bench = new ScriptedCoreService();
  const { library, compute } = bench;
  library.on("HcsCreateOperation", { handle: 0n });
  const error = await assertRejects(
    () => compute.create("pod1@vm", {}),
    ShimError,
    "hcs::CreateComputeSystem pod1@vm: HcsCreateOperation made no operation",
  );
  assertEquals(error.code, "ResourceExhausted");
  assertEquals(library.called, ["HcsCreateOperation"]);
  assertEquals(bench.leftovers(), []);
});

Deno.test("all systems share two native callbacks and the slots", async () => {
  using bench = new ScriptedCoreService();
  const { library, compute } = bench;
  const ids = Array.from({ length: 20 }, (_, i) => `pod${i}@vm`);
  const systems = await Promise.all(ids.map((id) => compute.create(id, {})));
  assertEquals([library.functions, library.peak], [2, 4]);
  await Promise.all(systems.map((system) => system.close()));
  assertEquals(library.peak, 4);
  assertEquals(bench.leftovers(), []);
});

Deno.test('a code that means "pending" is no success here: nothing would complete it', async () => {
  using bench = new ScriptedCoreService();
  bench.library.on("HcsCreateComputeSystem", { hresult: HResult.Pending });
  await assertRejects(
    () => bench.compute.create("a", {}),
    HResultError,
    "PENDING",
  );
  assertEquals(bench.leftovers(), []);
});
