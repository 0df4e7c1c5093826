import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError, isGone } from "../../../base/hresult.ts";
import { ScriptedCoreService } from "../../mock/scripted_core_service.ts";
import type { ComputeCoreSymbols } from "../library/computecore.ts";
import { CoreEventType } from "./core_callbacks.ts";
import type { CoreSystem } from "./core_system.ts";

/** Requests: symbol, operation, document sent, call. */
const requests: [
  keyof ComputeCoreSymbols,
  string,
  string,
  (system: CoreSystem, signal?: AbortSignal) => Promise<unknown>,
][] = [
  [
    "HcsStartComputeSystem",
    "Start",
    "",
    (s, signal) => s.start(undefined, undefined, signal),
  ],
  [
    "HcsModifyComputeSystem",
    "Modify",
    '{"ResourcePath":"x"}',
    (s, signal) => s.modify({ ResourcePath: "x" }, signal),
  ],
  [
    "HcsGetComputeSystemProperties",
    "Properties",
    '{"A":1}',
    (s, signal) => s.properties({ A: 1 }, signal),
  ],
  [
    "HcsInitializeLiveMigrationOnSource",
    "InitializeLiveMigrationOnSource",
    '{"Origin":"Source"}',
    (s, signal) => s.initializeMigration({ Origin: "Source" }, signal),
  ],
  [
    "HcsStartLiveMigrationOnSource",
    "StartLiveMigrationOnSource",
    "{}",
    (s, signal) => s.startMigration({}, undefined, signal),
  ],
  [
    "HcsFinalizeLiveMigration",
    "FinalizeLiveMigration",
    '{"FinalizedOperation":"Stop"}',
    (s, signal) => s.finalizeMigration({ FinalizedOperation: "Stop" }, signal),
  ],
  [
    "HcsCancelLiveMigration",
    "CancelLiveMigration",
    '{"Origin":"Source"}',
    (s, signal) => s.cancelMigration({ Origin: "Source" }, signal),
  ],
];
for (const [symbol, operation, sent, call] of requests) {
  const subject = `hcs::System::${operation} pod1@vm`;

  Deno.test(`${symbol}: an operation of its own, its document, its result; no string is left`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    const { library } = bench;
    library.on(symbol, { completion: { document: '{"B":2}' } });
    await call(system);
    assertEquals(library.called, [
      "HcsCreateOperation",
      symbol,
      "HcsGetOperationResult",
      "HcsCloseOperation",
    ]);
    assertEquals(library.calls[1]!.args[1], sent);
    assertEquals([library.memory.live, library.open.size], [0, 1]);
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  Deno.test(`${symbol}: refused by the function or by the operation, with the document`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    const { library } = bench;
    const document = '{"ErrorEvents":[{"Message":"not you"}]}';
    const hresult = 0x80070005;
    for (
      const script of [
        { hresult, result: document },
        { completion: { hresult, document } },
        { completion: { hresult, document }, completes: "before" as const },
      ]
    ) {
      library.on(symbol, script);
      const refused = await assertRejects(
        () => call(system),
        HResultError,
        `${subject}: not you: E_ACCESSDENIED (0x80070005)`,
      );
      assertEquals(refused.code, "PermissionDenied");
      assertEquals([library.memory.live, library.open.size], [0, 1]);
    }
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  Deno.test(`${symbol}: without a completion it is cancelled, then DeadlineExceeded`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    const { library, clock } = bench;
    library.on(symbol, { completes: "later" });
    const rejected = assertRejects(
      () => call(system),
      ShimError,
      `${subject}: timeout waiting for ${symbol} (240 s)`,
    );
    await clock.advance(240_000);
    assertEquals((await rejected).code, "DeadlineExceeded");
    assertEquals(library.called, [
      "HcsCreateOperation",
      symbol,
      "HcsCancelOperation",
      "HcsCloseOperation",
    ]);
    library.complete({ document: "{}" }); // too late: nobody is told
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  Deno.test(`${symbol}: a call that is left behind is cleaned up when it returns`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    const { library, clock } = bench;
    const { promise: gate, resolve } = Promise.withResolvers<void>();
    const completion = { document: "{}" };
    library.on(symbol, { gate, completes: "before", completion });
    const controller = new AbortController();
    const rejected = assertRejects(
      () => call(system, controller.signal),
      ShimError,
      "too late",
    );
    await clock.advance(0);
    controller.abort(new ShimError("Canceled", "too late"));
    await rejected;
    assertEquals(library.called, ["HcsCreateOperation", symbol]);
    resolve();
    await clock.advance(0);
    assertEquals(library.called.at(-1), "HcsCloseOperation");
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  Deno.test(`${symbol}: a version of Windows without it says so, and holds nothing`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    bench.library.lack(symbol);
    const error = await assertRejects(
      () => call(system),
      ShimError,
      `computecore.dll of this version of Windows has no function ${symbol}`,
    );
    assertEquals(error.code, "NotImplemented");
    await system.close();
    assertEquals(bench.leftovers(), []);
  });

  Deno.test(`${symbol}: a closed handle is refused without a call`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    await system.close();
    bench.library.calls.length = 0;
    const error = await assertRejects(
      () => call(system),
      HResultError,
      `${subject}: the handle has already been closed`,
    );
    assertEquals([error.code, isGone(error)], ["FailedPrecondition", true]);
    assertEquals(bench.library.calls, []);
  });

  for (
    const [end, code, text] of [
      ["close", "FailedPrecondition", "the handle generating this"],
      ["loss", "Unavailable", "lost communication with compute service"],
    ] as const
  ) {
    Deno.test(`${symbol}: ${end} while it waits fails with ${code}`, async () => {
      using bench = new ScriptedCoreService();
      const system = await bench.opened();
      const { library, clock } = bench;
      library.on(symbol, { completes: "later" });
      const rejected = assertRejects(
        () => call(system),
        ShimError,
        `${subject}: ${text}`,
      );
      await clock.advance(0);
      if (end === "loss") library.event(CoreEventType.ServiceDisconnect);
      else await system.close();
      assertEquals((await rejected).code, code);
      await system.close();
      await clock.advance(0);
      assertEquals(bench.leftovers(), []);
    });
  }
}
