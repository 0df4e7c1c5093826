import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError, isGone } from "../../../base/hresult.ts";
import type { ComputeSystem } from "../../../hcs/ports.ts";
import { ScriptedService } from "../../mock/scripted_service.ts";
import { NotificationType } from "./notifications.ts";
import type { VmComputeSymbols } from "../library/vmcompute.ts";

const { SystemExited, SystemStartCompleted, ServiceDisconnect } =
  NotificationType;
const pending = HResult.Pending;

Deno.test("start() that completes at once waits for nothing", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  await system.start();
  assertEquals(bench.library.called, ["HcsStartComputeSystem"]);
  assertEquals(bench.library.calls[0]!.args[1], "", "empty options, not null");
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("start() that is pending resolves with its notification", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock } = bench;
  library.on("HcsStartComputeSystem", { hresult: pending });
  let started = false;
  const starting = system.start().then(() => started = true);
  await clock.advance(1000);
  library.notify(NotificationType.SystemCreateCompleted);
  await clock.advance(0);
  assertEquals(started, false);
  library.notify(SystemStartCompleted);
  await starting;
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("start() takes a notification that comes before the call returns", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library } = bench;
  library.on("HcsStartComputeSystem", {
    hresult: pending,
    before: () => library.notify(SystemStartCompleted),
  });
  await system.start();
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("start() does not take the completion of an earlier start", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock } = bench;
  library.notify(SystemStartCompleted);
  await clock.advance(0);
  library.on("HcsStartComputeSystem", { hresult: pending });
  const rejected = assertRejects(
    () => system.start(),
    ShimError,
    "hcs::System::Start pod1@vm: timeout waiting for notification (240 s)",
  );
  await clock.advance(240_000);
  assertEquals((await rejected).code, "DeadlineExceeded");
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("start() fails with the status and the document of its notification", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock } = bench;
  library.on("HcsStartComputeSystem", { hresult: pending });
  const rejected = assertRejects(
    () => system.start(),
    HResultError,
    "hcs::System::Start pod1@vm: kernel panic: HCS_E_CONNECTION_TIMEOUT",
  );
  await clock.advance(0);
  const data = '{"ErrorEvents":[{"Message":"kernel panic"}]}';
  library.notify(SystemStartCompleted, HResult.Timeout, data);
  assertEquals((await rejected).code, "DeadlineExceeded");
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("start() ends with its caller's signal", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock } = bench;
  library.on("HcsStartComputeSystem", { hresult: pending });
  const controller = new AbortController();
  const reason = new ShimError("Canceled", "too late");
  const rejected = assertRejects(
    () => system.start(controller.signal),
    ShimError,
  );
  await clock.advance(0);
  controller.abort(reason);
  assertStrictEquals(await rejected, reason);
  await system.close();
  assertEquals(bench.leftovers(), []);
});

for (
  const [type, status, code, text] of [
    [SystemExited, 0, "Aborted", "unexpected container exit"],
    [
      ServiceDisconnect,
      0,
      "Unavailable",
      "lost communication with compute service",
    ],
  ] as const
) {
  Deno.test(`start() fails with "${text}" while it waits, and when it begins after`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    const { library, clock } = bench;
    for (const when of ["while waiting", "before"]) {
      library.on("HcsStartComputeSystem", { hresult: pending });
      const rejected = assertRejects(
        () => system.start(),
        ShimError,
        `hcs::System::Start pod1@vm: ${text}`,
      );
      await clock.advance(0);
      if (when === "while waiting") library.notify(type, status);
      assertEquals((await rejected).code, code, when);
    }
    await system.close();
    assertEquals(bench.leftovers(), []);
  });
}

/** Calls on a system: symbol and call. */
const systemCalls: [
  keyof VmComputeSymbols,
  string,
  (system: ComputeSystem) => Promise<unknown>,
][] = [
  ["HcsStartComputeSystem", "Start", (s) => s.start()],
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

  if (operation === "Terminate") continue;
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

Deno.test("modify() sends the request without loss", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const request = { Settings: { Limit: 18446744073709551615n } };
  await system.modify(request);
  assertEquals(
    bench.library.calls[0]!.args[1],
    '{"Settings":{"Limit":18446744073709551615}}',
  );
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("modify() does not accept a pending result: nothing would complete it", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  bench.library.on("HcsModifyComputeSystem", { hresult: pending });
  await assertRejects(() => system.modify({}), HResultError, "PENDING");
  await system.close();
  assertEquals(bench.leftovers(), []);
});

for (const value of [null, "", "{", "\ufffd"]) {
  Deno.test(`properties() refuses the reply ${JSON.stringify(value)}`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    bench.library.on("HcsGetComputeSystemProperties", { value });
    await assertRejects(
      () => system.properties({ PropertyTypes: ["Memory"] }),
      ShimError,
      "hcs::System::Properties pod1@vm: unexpected value returned from hcs",
    );
    await system.close();
    assertEquals(bench.leftovers(), []);
  });
}

for (
  const hresult of [
    0,
    pending,
    HResult.SystemAlreadyStopped,
    0x80370110,
    HResult.SystemNotFound,
  ]
) {
  Deno.test(`terminate() counts 0x${hresult.toString(16)} as success, and waits for nothing`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    bench.library.on("HcsTerminateComputeSystem", { hresult, result: "{}" });
    await system.terminate();
    await system.close();
    assertEquals(bench.leftovers(), []);
  });
}

Deno.test("terminate() does nothing after the exit and after close()", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  bench.library.notify(SystemExited);
  await system.exited;
  await system.terminate();
  await system.close();
  await system.terminate();
  assert(!bench.library.called.includes("HcsTerminateComputeSystem"));
});
