import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { ScriptedService } from "../../mock/scripted_service.ts";
import { NotificationType } from "./notifications.ts";

const { SystemExited, SystemStartCompleted, ServiceDisconnect } =
  NotificationType;
const pending = HResult.Pending;

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

for (const name of ["terminate", "shutdown"] as const) {
  const symbol = name === "terminate"
    ? "HcsTerminateComputeSystem"
    : "HcsShutdownComputeSystem";
  for (
    const hresult of [
      0,
      pending,
      HResult.SystemAlreadyStopped,
      0x80370110,
      HResult.SystemNotFound,
    ]
  ) {
    Deno.test(`${name}() counts 0x${hresult.toString(16)} as success, and waits for nothing`, async () => {
      using bench = new ScriptedService();
      const system = await bench.created();
      bench.library.on(symbol, { hresult, result: "{}" });
      await system[name]();
      assertEquals(bench.library.called, [symbol]);
      await system.close();
      assertEquals(bench.leftovers(), []);
    });
  }

  Deno.test(`${name}() does nothing after the exit and after close()`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    bench.library.notify(SystemExited);
    await system.exited;
    await system[name]();
    await system.close();
    await system[name]();
    assert(!bench.library.called.includes(symbol));
    assertEquals(bench.leftovers(), []);
  });
}

Deno.test("an exit after shutdown() is graceful, unless the service says otherwise", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  await system.shutdown();
  bench.library.notify(SystemExited);
  assertEquals((await system.exited).exitType, "GracefulExit");
  await system.close();
  assertEquals(bench.leftovers(), []);
});
