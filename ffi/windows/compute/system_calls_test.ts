import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError, isGone } from "../../../base/hresult.ts";
import { ScriptedService } from "../../mock/scripted_service.ts";
import type { VmComputeSymbols } from "../library/vmcompute.ts";
import type { VmComputeSystem } from "./compute_system.ts";
import { NotificationType } from "./notifications.ts";

/** Calls on a system: symbol and call. */
const systemCalls: [
  keyof VmComputeSymbols,
  string,
  (system: VmComputeSystem) => Promise<unknown>,
][] = [
  ["HcsStartComputeSystem", "Start", (s) => s.start()],
  ["HcsPauseComputeSystem", "Pause", (s) => s.pause()],
  ["HcsResumeComputeSystem", "Resume", (s) => s.resume()],
  ["HcsSaveComputeSystem", "Save", (s) => s.save({ SaveType: "ToFile" })],
  ["HcsShutdownComputeSystem", "Shutdown", (s) => s.shutdown()],
  ["HcsModifyComputeSystem", "Modify", (s) => s.modify({ ResourcePath: "x" })],
  ["HcsGetComputeSystemProperties", "Properties", (s) => s.properties({})],
  ["HcsTerminateComputeSystem", "Terminate", (s) => s.terminate()],
];
for (const [symbol, operation, call] of systemCalls) {
  const subject = `hcs::System::${operation} pod1@vm`;
  Deno.test(`${symbol}: success, failure, timeout and absence, strings freed`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    const { library, clock } = bench;
    library.on(symbol, { result: '{"note":"a result of a success is freed"}' });
    await call(system);
    library.on(symbol, {
      hresult: 0x80070005,
      value: "{}",
      result: '{"ErrorEvents":[{"Message":"not you"}]}',
    });
    const refused = await assertRejects(
      () => call(system),
      HResultError,
      `${subject}: not you: E_ACCESSDENIED (0x80070005)`,
    );
    assertEquals(refused.code, "PermissionDenied");
    const { promise: gate, resolve } = Promise.withResolvers<void>();
    library.on(symbol, { gate, result: "late" });
    const late = assertRejects(
      () => call(system),
      ShimError,
      `${subject}: timeout waiting for ${symbol}`,
    );
    await clock.advance(240_000);
    await late;
    resolve();
    await clock.advance(0);
    library.lack(symbol);
    await assertRejects(() => call(system), ShimError, symbol);
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  if (["Shutdown", "Terminate"].includes(operation)) continue;
  Deno.test(`${symbol}: a closed handle is refused without a call`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    await system.close();
    assertEquals(bench.leftovers(), []);
    bench.library.calls.length = 0;
    const error = await assertRejects(
      () => call(system),
      HResultError,
      `${subject}: the handle has already been closed`,
    );
    assertEquals([error.code, isGone(error)], ["FailedPrecondition", true]);
    assertEquals(bench.library.calls, []);
  });
}

/** Calls that a notification completes: name, notification, options sent, call. */
const completed: [
  "Start" | "Pause" | "Resume" | "Save",
  number,
  string,
  (system: VmComputeSystem, signal?: AbortSignal) => Promise<void>,
][] = [
  [
    "Start",
    NotificationType.SystemStartCompleted,
    "",
    (s, signal) => s.start(signal),
  ],
  [
    "Pause",
    NotificationType.SystemPauseCompleted,
    '{"A":1}',
    (s, signal) => s.pause({ A: 1 }, signal),
  ],
  [
    "Resume",
    NotificationType.SystemResumeCompleted,
    "",
    (s, signal) => s.resume(undefined, signal),
  ],
  ["Save", NotificationType.SystemSaveCompleted, '{"SaveType":"ToFile"}', (
    s,
    signal,
  ) => s.save({ SaveType: "ToFile" }, signal)],
];
for (const [name, type, options, call] of completed) {
  const symbol = `Hcs${name}ComputeSystem` as const;
  const subject = `hcs::System::${name} pod1@vm`;
  const pending = HResult.Pending;

  Deno.test(`${name}: done at once waits for nothing and sends its options`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    await call(system);
    assertEquals(bench.library.called, [symbol]);
    assertEquals(bench.library.calls[0]!.args[1], options);
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  Deno.test(`${name}: pending resolves with its notification, and with no other one`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    const { library, clock } = bench;
    library.on(symbol, { hresult: pending });
    let done = false;
    const calling = call(system).then(() => done = true);
    await clock.advance(0);
    for (const [, other] of completed) {
      if (other !== type) library.notify(other);
    }
    await clock.advance(1000);
    assertEquals(done, false);
    library.notify(type);
    await calling;
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  Deno.test(`${name}: a notification before the call returns is taken`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    const { library } = bench;
    library.on(symbol, {
      hresult: pending,
      before: () => library.notify(type),
    });
    await call(system);
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  Deno.test(`${name}: fails with the status and the document of its notification`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    const { library, clock } = bench;
    library.on(symbol, { hresult: pending });
    const rejected = assertRejects(
      () => call(system),
      HResultError,
      `${subject}: no space left: E_ACCESSDENIED (0x80070005)`,
    );
    await clock.advance(0);
    const data = '{"ErrorEvents":[{"Message":"no space left"}]}';
    library.notify(type, 0x80070005, data);
    await rejected;
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  for (
    const [end, code, text] of [
      ["exit", "Aborted", "unexpected container exit"],
      ["loss", "Unavailable", "lost communication with compute service"],
      ["close", "FailedPrecondition", "the handle generating this"],
      ["silence", "DeadlineExceeded", "timeout waiting for notification (240"],
    ] as const
  ) {
    Deno.test(`${name}: ${end} while it waits fails with ${code}`, async () => {
      using bench = new ScriptedService();
      const system = await bench.created();
      const { library, clock } = bench;
      library.on(symbol, { hresult: pending });
      const rejected = assertRejects(
        () => call(system),
        ShimError,
        `${subject}: ${text}`,
      );
      await clock.advance(0);
      if (end === "exit") library.notify(NotificationType.SystemExited);
      if (end === "loss") library.notify(NotificationType.ServiceDisconnect);
      if (end === "close") await system.close();
      if (end === "silence") await clock.advance(240_000);
      assertEquals((await rejected).code, code);
      await system.close();
      assertEquals(bench.leftovers(), []);
    });
  }

  Deno.test(`${name}: the caller's signal ends the wait with its reason`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    const { library, clock } = bench;
    library.on(symbol, { hresult: pending });
    const controller = new AbortController();
    const reason = new ShimError("Canceled", "too late");
    const rejected = assertRejects(
      () => call(system, controller.signal),
      ShimError,
    );
    await clock.advance(0);
    controller.abort(reason);
    assertStrictEquals(await rejected, reason);
    await system.close();
    assertEquals(bench.leftovers(), []);
  });
}
