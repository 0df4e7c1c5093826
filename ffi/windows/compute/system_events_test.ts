import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { ScriptedService } from "../../mock/scripted_service.ts";
import { NotificationType } from "./notifications.ts";

const { SystemExited, ServiceDisconnect } = NotificationType;

const exits: [string, number, string | undefined, boolean, unknown][] = [
  ["without data", 0, undefined, false, [0, "GracefulExit"]],
  ["without data after terminate()", 0, undefined, true, [0, "ForcedExit"]],
  [
    "that is graceful after terminate()",
    0,
    '{"Status":0,"ExitType":"GracefulExit"}',
    true,
    [0, "GracefulExit"],
  ],
  ["that was forced", 0, '{"ExitType":"ForcedExit"}', false, [0, "ForcedExit"]],
  ["of a crash", HResult.UnexpectedExit, undefined, false, [
    HResult.UnexpectedExit,
    "UnexpectedExit",
  ]],
  [
    "of a crash that only the data tells",
    0,
    '{"Status":-1070137082,"ExitType":"UnexpectedExit"}',
    false,
    [0xc0370106, "UnexpectedExit"],
  ],
  ["with garbage", 0, "{{{", false, [0, "GracefulExit"]],
  ["with a list", 0, "[1]", false, [0, "GracefulExit"]],
];
for (const [name, status, data, terminated, expected] of exits) {
  Deno.test(`an exit ${name} is understood, for every reader`, async () => {
    using bench = new ScriptedService();
    const system = await bench.created();
    const { library } = bench;
    const early = system.exited;
    if (terminated) await system.terminate();
    library.notify(SystemExited, status, data);
    const info = await early;
    assertEquals([info.status, info.exitType], expected);
    library.notify(ServiceDisconnect); // the first terminal event wins
    await system.close();
    assertEquals(bench.leftovers(), []);
    assertStrictEquals(await system.exited, info);
  });
}

Deno.test("an exit with another failure rejects exited with it", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  bench.library.notify(SystemExited, 0x80004005);
  await assertRejects(
    () => system.exited,
    HResultError,
    "hcs::System::waitBackground pod1@vm: E_FAIL",
  );
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("a lost service rejects exited, for every reader", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const early = system.exited;
  bench.library.notify(ServiceDisconnect);
  for (const reader of [early, system.exited]) {
    const error = await assertRejects(
      () => reader,
      ShimError,
      "lost communication with compute service",
    );
    assertEquals(error.code, "Unavailable");
  }
  await system.close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("crash reports go to the log and end nothing", async () => {
  using bench = new ScriptedService();
  const system = await bench.created();
  const { library, clock, lines } = bench;
  library.notify(NotificationType.SystemCrashReport, 0, '{"Dump":"x"}');
  library.notify(0x7777, 0, "unknown type");
  library.notify(0, -1);
  await clock.advance(0);
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0]!, "The guest crashed");
  await system.close();
  assertEquals(bench.leftovers(), []);
});
