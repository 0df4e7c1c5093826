import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { ScriptedService } from "../../mock/scripted_service.ts";
import { NotificationType } from "./notifications.ts";

const { SystemExited } = NotificationType;
const pending = HResult.Pending;

Deno.test("close() unregisters, fails the waits, closes; a second close does nothing", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock } = bench;
  library.on("HcsStartComputeSystem", { hresult: pending });
  const starting = assertRejects(
    () => system.start(),
    HResultError,
    "hcs::System::Start pod1@vm: the handle generating this notification has been closed",
  );
  await clock.advance(0);
  await Promise.all([system.close(), system.close()]);
  await starting;
  await assertRejects(
    () => system.exited,
    HResultError,
    "the handle has already been closed",
  );
  await system.close();
  assertEquals(bench.leftovers(), []);
  assertEquals(library.called.slice(1), [
    "HcsUnregisterComputeSystemCallback",
    "HcsCloseComputeSystem",
  ]);
});

Deno.test("close() that cannot unregister leaves the handle open, and can be repeated", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library } = bench;
  library.on("HcsUnregisterComputeSystemCallback", { hresult: 0x80004005 });
  await assertRejects(
    () => system.close(),
    HResultError,
    "hcs::System::Close pod1@vm: E_FAIL",
  );
  await system.modify({});
  library.on("HcsCloseComputeSystem", { hresult: 0x80004005 });
  await assertRejects(() => system.close(), HResultError);
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("close() waits for calls under way: their handle stays valid", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock } = bench;
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  library.on("HcsModifyComputeSystem", { gate });
  const modifying = system.modify({});
  const closing = system.close();
  await clock.advance(1000);
  assert(!library.called.includes("HcsCloseComputeSystem"));
  resolve();
  await Promise.all([modifying, closing]);
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("calls that still wait for a slot when the handle is closed are refused", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock } = bench;
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  for (const { promise: gate } of gates) {
    library.on("HcsModifyComputeSystem", { gate });
  }
  const running = gates.slice(0, 4).map(() => system.modify({}));
  const closing = system.close();
  const next = system.modify({});
  const last = assertRejects(
    () => system.modify({}),
    HResultError,
    "the handle has already been closed",
  );
  gates[0]!.resolve(); // its slot goes to the unregistration, then to the next call
  await clock.advance(0);
  gates[1]!.resolve();
  await last;
  for (const gate of gates) gate.resolve();
  await Promise.all([...running, next, closing]);
  assertEquals(library.peak, 4);
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("close() that takes too long says so; a further one waits for the same end", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock } = bench;
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  library.on("HcsUnregisterComputeSystemCallback", { gate });
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
  assertEquals(library.called.length, 2, "each call was made once");
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("a notification that was queued when the handle was closed is dropped", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library } = bench;
  library.on("HcsUnregisterComputeSystemCallback", {
    before: () => library.notify(NotificationType.SystemCrashReport),
  });
  await system.close();
  library.notify(SystemExited);
  await assertRejects(() => system.exited, HResultError, "already been closed");
});
