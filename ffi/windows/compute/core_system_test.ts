import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { ScriptedCoreService } from "../../mock/scripted_core_service.ts";
import { CoreEventType } from "./core_callbacks.ts";

const socket = 0x8000_0000_1234n;

Deno.test("the end of the system does not end a request: a request may be what ends it", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library, clock } = bench;
  library.on("HcsFinalizeLiveMigration", { completes: "later" });
  const finalizing = system.finalizeMigration({ FinalizedOperation: "Stop" });
  await clock.advance(0);
  library.event(CoreEventType.SystemExited);
  await system.exited;
  library.complete();
  await finalizing;
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("properties() gives the document without loss, and refuses what is none", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library } = bench;
  const symbol = "HcsGetComputeSystemProperties";
  library.on(symbol, {
    completion: { document: '{"M":18446744073709551615}' },
  });
  assertEquals(await system.properties({}), { M: 18446744073709551615n });
  for (const completion of [{}, { document: "" }, { document: "{" }]) {
    library.on(symbol, { completion });
    const error = await assertRejects(
      () => system.properties({}),
      ShimError,
      "hcs::System::Properties pod1@vm: unexpected value returned from hcs",
    );
    assertEquals(error.code, "Internal");
  }
  await system.close();
  assertEquals(bench.leftovers(), []);
});

for (const name of ["start", "startMigration"] as const) {
  Deno.test(`${name}() gives its socket to the operation before the request`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    const { library } = bench;
    await system[name]({ NetworkSettings: { SessionId: 7 } }, socket);
    assertEquals(library.called.slice(0, 2), [
      "HcsCreateOperation",
      "HcsAddResourceToOperation",
    ]);
    assertEquals(library.calls[1]!.args.slice(1), [
      4n,
      "hcs:/VirtualMachine/LiveMigrationSocket",
      socket,
    ]);
    library.on("HcsAddResourceToOperation", { hresult: 0x80070006 });
    library.calls.length = 0;
    await assertRejects(
      () => system[name]({}, socket),
      HResultError,
      "pod1@vm: E_HANDLE",
    );
    assertEquals(library.called, [
      "HcsCreateOperation",
      "HcsAddResourceToOperation",
      "HcsCloseOperation",
    ]);
    await system.close();
    assertEquals(bench.leftovers(), []);
  });
}

Deno.test("transferMigration() has no bound but its signal; a cancelMigration() overtakes it", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library, clock } = bench;
  library.on("HcsStartLiveMigrationTransfer", { completes: "later" });
  const rejected = assertRejects(
    () => system.transferMigration({ Origin: "Source" }),
    HResultError,
    "hcs::System::StartLiveMigrationTransfer pod1@vm: HCS_E_TERMINATED",
  );
  await clock.advance(3_600_000);
  await system.cancelMigration({ Origin: "Source" });
  library.complete({ hresult: 0x80370107 });
  await rejected;
  library.on("HcsStartLiveMigrationTransfer", { completes: "later" });
  const controller = new AbortController();
  const given = assertRejects(
    () => system.transferMigration({}, controller.signal),
    ShimError,
    "enough",
  );
  await clock.advance(0);
  controller.abort(new ShimError("Canceled", "enough"));
  await given;
  await clock.advance(0);
  assert(library.called.includes("HcsCancelOperation"));
  await system.close();
  assertEquals(bench.leftovers(), []);
});

for (
  const hresult of [
    0,
    HResult.Pending,
    0x80370110,
    0x8037010e,
    HResult.SystemAlreadyStopped,
  ]
) {
  Deno.test(`terminate() counts 0x${hresult.toString(16)} as success, and waits for nothing`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    const { library } = bench;
    library.on("HcsTerminateComputeSystem", {
      hresult,
      completes: "later",
      result: "{}",
    });
    await system.terminate();
    assert(!library.called.includes("HcsCancelOperation"));
    await system.close();
    assertEquals(bench.leftovers(), []);
  });
}

Deno.test("terminate() fails with what the service answered, and does nothing after the exit", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library } = bench;
  library.on("HcsTerminateComputeSystem", { hresult: 0x80070005 });
  await assertRejects(
    () => system.terminate(),
    HResultError,
    "hcs::System::Terminate pod1@vm: E_ACCESSDENIED",
  );
  library.event(CoreEventType.SystemExited);
  assertEquals((await system.exited).exitType, "ForcedExit");
  library.calls.length = 0;
  await system.terminate();
  await system.close();
  await system.terminate();
  assertEquals(library.called, ["HcsCloseComputeSystem"]);
  assertEquals(bench.leftovers(), []);
});

Deno.test("close() waits for calls under way: their handle stays valid", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library, clock } = bench;
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  library.on("HcsModifyComputeSystem", { gate });
  const rejected = assertRejects(() => system.modify({}), HResultError);
  await clock.advance(0);
  const closing = system.close();
  await rejected;
  assert(!library.called.includes("HcsCloseComputeSystem"));
  resolve();
  await closing;
  await system.close();
  await clock.advance(0);
  assertEquals(bench.leftovers(), []);
});

Deno.test("close() that takes too long says so; a further one waits for the same end", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library, clock } = bench;
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  library.on("HcsCloseComputeSystem", { gate });
  const rejected = assertRejects(
    () => system.close(),
    ShimError,
    "hcs::System::Close pod1@vm: timeout",
  );
  await clock.advance(240_000);
  assertEquals((await rejected).code, "DeadlineExceeded");
  const again = system.close();
  resolve();
  await again;
  assertEquals(library.called, ["HcsCloseComputeSystem"]);
  assertEquals(bench.leftovers(), []);
});

Deno.test("an operation that cannot be let go is logged, and fails nothing", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library, lines } = bench;
  library.on("HcsCloseOperation", { throws: new Error("crashed") });
  await system.modify({});
  assertEquals(lines.length, 1);
  assert(lines[0]!.includes("hcs::System::Modify pod1@vm"));
  await system.close();
  assertEquals(library.open.size, 1, "the operation");
});
