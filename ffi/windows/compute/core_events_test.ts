import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import type { Json } from "../../../base/json.ts";
import { ScriptedCoreService } from "../../mock/scripted_core_service.ts";
import { CoreEventType } from "./core_callbacks.ts";
import type { CoreSystem } from "./core_system.ts";

const { GroupLiveMigration, ServiceDisconnect, SystemExited } = CoreEventType;

async function collect(system: CoreSystem): Promise<Json[]> {
  const seen: Json[] = [];
  for await (const event of system.events) seen.push(event);
  return seen;
}

const exits: [string | undefined, unknown][] = [
  [undefined, [0, "GracefulExit"]],
  ['{"Status":0,"ExitType":"ForcedExit"}', [0, "ForcedExit"]],
  ['{"Status":-2143878906,"ExitType":"UnexpectedExit"}', [
    0x80370106,
    "UnexpectedExit",
  ]],
  ["{{{", [0, "GracefulExit"]],
];
for (const [data, expected] of exits) {
  Deno.test(`the exit event ${data} is understood; the first terminal event wins`, async () => {
    using bench = new ScriptedCoreService();
    const system = await bench.opened();
    bench.library.event(SystemExited, data);
    bench.library.event(ServiceDisconnect);
    const { status, exitType } = await system.exited;
    assertEquals([status, exitType], expected);
    await system.close();
    assertEquals(bench.leftovers(), []);
  });
}

Deno.test("a lost service and a closed handle reject exited, and end the events", async () => {
  using bench = new ScriptedCoreService();
  const lost = await bench.opened();
  bench.library.event(ServiceDisconnect);
  const error = await assertRejects(() => lost.exited, ShimError, "lost commu");
  assertEquals(error.code, "Unavailable");
  assertEquals(await collect(lost), []);
  await lost.close();
  const closed = await bench.opened();
  await closed.close();
  await assertRejects(() => closed.exited, HResultError, "already been closed");
  assertEquals(await collect(closed), []);
  assertEquals(bench.leftovers(), []);
});

Deno.test("events of a live migration come in order, without loss; an empty one is an empty document", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library, clock } = bench;
  const seen = collect(system);
  library.event(GroupLiveMigration, '{"Origin":"Source","Event":"SetupDone"}');
  library.event(GroupLiveMigration);
  library.event(GroupLiveMigration, '{"Big":18446744073709551615}');
  library.event(0x80000002, '{"not":"ours"}');
  await clock.advance(0);
  await system.close();
  library.event(GroupLiveMigration, '{"too":"late"}');
  assertEquals(await seen, [
    { Origin: "Source", Event: "SetupDone" },
    {},
    { Big: 18446744073709551615n },
  ]);
  assertEquals(bench.lines, []);
  assertEquals(bench.leftovers(), []);
});

Deno.test("the 17th event that nobody reads is dropped with a warning", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library, clock, lines } = bench;
  for (let step = 1; step <= 17; step++) {
    library.event(GroupLiveMigration, JSON.stringify({ Step: step }));
  }
  await clock.advance(0);
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0]!, '"Step":17');
  await system.close();
  const steps = await collect(system);
  assertEquals(steps, Array.from({ length: 16 }, (_, i) => ({ Step: i + 1 })));
});

Deno.test("an event of a live migration that is no JSON is logged and left out", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  bench.library.event(GroupLiveMigration, "{");
  await bench.clock.advance(0);
  await system.close();
  assertEquals(await collect(system), []);
  assertEquals(bench.lines.length, 1);
  assertStringIncludes(bench.lines[0]!, "no JSON");
});

Deno.test("crash reports go to the log and end nothing", async () => {
  using bench = new ScriptedCoreService();
  const system = await bench.opened();
  const { library, clock, lines } = bench;
  library.event(CoreEventType.SystemCrashReport, '{"Dump":"x"}');
  library.event(0x7777, "unknown type");
  await clock.advance(0);
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0]!, "The guest crashed");
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("events go to their own system only", async () => {
  using bench = new ScriptedCoreService();
  const first = await bench.opened("a");
  await first.close();
  const second = await bench.opened("b");
  bench.library.event(SystemExited, '{"ExitType":"ForcedExit"}');
  assertEquals((await second.exited).exitType, "ForcedExit");
  await second.close();
  await assertRejects(() => first.exited, HResultError, "a: the handle has");
  assertEquals(bench.leftovers(), []);
});
