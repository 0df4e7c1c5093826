import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import { scriptedRuntimeId } from "../../mock/scripted.ts";
import { ScriptedService } from "../../mock/scripted_service.ts";
import { NotificationType } from "./notifications.ts";

const { SystemCreateCompleted, SystemExited, ServiceDisconnect } =
  NotificationType;
const pending = HResult.Pending;
const document = { Owner: "test", Version: 18446744073709551615n };

const createSequence = [
  "HcsCreateComputeSystem",
  "HcsRegisterComputeSystemCallback",
  "HcsGetComputeSystemProperties",
];
const closeSequence = [
  "HcsUnregisterComputeSystemCallback",
  "HcsCloseComputeSystem",
];

Deno.test("create() that completes at once registers, then asks for the RuntimeId", async () => {
  using bench = new ScriptedService();
  const { library, compute } = bench;
  const system = await compute.create("pod1@vm", document);
  assertEquals([system.id, system.runtimeId], ["pod1@vm", scriptedRuntimeId]);
  assertEquals(library.called, createSequence);
  assertEquals(library.calls[0]!.args, [
    "pod1@vm",
    '{"Owner":"test","Version":18446744073709551615}',
    0n,
  ]);
  assertEquals(library.calls[2]!.args[1], "{}");
  await system.close();
  assertEquals(library.called, [...createSequence, ...closeSequence]);
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() that is pending waits for its notification", async () => {
  using bench = new ScriptedService();
  const { library, compute, clock } = bench;
  library.on("HcsCreateComputeSystem", { hresult: pending });
  const creating = compute.create("pod1@vm", document);
  await clock.advance(239_999);
  assertEquals(library.called, createSequence.slice(0, 2));
  library.notify(SystemCreateCompleted);
  await (await creating).close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() accepts a completion that is delivered during the registration", async () => {
  using bench = new ScriptedService();
  const { library, compute } = bench;
  library.on("HcsCreateComputeSystem", { hresult: pending });
  library.on("HcsRegisterComputeSystemCallback", {
    after: () => library.notify(SystemCreateCompleted),
  });
  await (await compute.create("pod1@vm", document)).close();
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() refused by the service leaves nothing, and says why in one line", async () => {
  using bench = new ScriptedService();
  bench.library.on("HcsCreateComputeSystem", {
    hresult: HResult.SystemAlreadyExists,
    handle: 0n,
    result: JSON.stringify({ ErrorEvents: [{ Message: "id is taken" }] }),
  });
  const error = await assertRejects(
    () => bench.compute.create("pod1@vm", document),
    HResultError,
    "hcs::CreateComputeSystem pod1@vm: id is taken: HCS_E_SYSTEM_ALREADY_EXISTS (0xC037010F)",
  );
  assertEquals(error.code, "AlreadyExists");
  assertEquals(bench.library.called, ["HcsCreateComputeSystem"]);
  assertEquals(bench.lines.length, 1);
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() whose completion fails closes, and does not terminate: the id may be another's", async () => {
  using bench = new ScriptedService();
  const { library, compute, clock } = bench;
  library.on("HcsCreateComputeSystem", { hresult: pending });
  const creating = compute.create("pod1@vm", document);
  await clock.advance(0);
  library.notify(
    SystemCreateCompleted,
    0x80070005,
    '{"ErrorMessage":"no access to initrd.img"}',
  );
  await assertRejects(
    () => creating,
    HResultError,
    "hcs::CreateComputeSystem pod1@vm: no access to initrd.img: E_ACCESSDENIED",
  );
  assertEquals(library.called, [
    ...createSequence.slice(0, 2),
    ...closeSequence,
  ]);
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() whose completion never comes terminates and closes", async () => {
  using bench = new ScriptedService();
  const { library, compute, clock } = bench;
  library.on("HcsCreateComputeSystem", { hresult: pending });
  const rejected = assertRejects(
    () => compute.create("pod1@vm", document),
    ShimError,
    "hcs::CreateComputeSystem pod1@vm: timeout waiting for notification (240 s)",
  );
  await clock.advance(defaultTimeouts.systemCreate);
  assertEquals((await rejected).code, "DeadlineExceeded");
  assertEquals(library.called, [
    ...createSequence.slice(0, 2),
    "HcsTerminateComputeSystem",
    ...closeSequence,
  ]);
  assertEquals(bench.leftovers(), []);
});

Deno.test("create() that its caller gives up terminates and closes", async () => {
  using bench = new ScriptedService();
  const { library, compute, clock } = bench;
  library.on("HcsCreateComputeSystem", { hresult: pending });
  const controller = new AbortController();
  const reason = new ShimError("Canceled", "the client went away");
  const rejected = assertRejects(
    () => compute.create("pod1@vm", document, controller.signal),
    ShimError,
    "the client went away",
  );
  await clock.advance(0);
  controller.abort(reason);
  await rejected;
  assert(library.called.includes("HcsTerminateComputeSystem"));
  assertEquals(bench.leftovers(), []);
});

Deno.test("a create that returns after its deadline is terminated and closed behind the scenes", async () => {
  using bench = new ScriptedService();
  const { library, compute, clock } = bench;
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  library.on("HcsCreateComputeSystem", { hresult: pending, gate });
  const rejected = assertRejects(
    () => compute.create("pod1@vm", document),
    ShimError,
    "timeout waiting for HcsCreateComputeSystem",
  );
  await clock.advance(defaultTimeouts.systemCreate);
  await rejected;
  resolve();
  await clock.advance(0);
  assertEquals(library.called, [
    "HcsCreateComputeSystem",
    "HcsTerminateComputeSystem",
    "HcsCloseComputeSystem",
  ]);
  assertEquals(bench.leftovers(), []);
});

for (
  const [type, code, text] of [
    [SystemExited, "Aborted", "unexpected container exit"],
    [
      ServiceDisconnect,
      "Unavailable",
      "lost communication with compute service",
    ],
  ] as const
) {
  Deno.test(`create() fails with "${text}" and closes`, async () => {
    using bench = new ScriptedService();
    const { library, compute, clock } = bench;
    library.on("HcsCreateComputeSystem", { hresult: pending });
    const rejected = assertRejects(
      () => compute.create("pod1@vm", document),
      ShimError,
      `hcs::CreateComputeSystem pod1@vm: ${text}`,
    );
    await clock.advance(0);
    library.notify(type);
    assertEquals((await rejected).code, code);
    assertEquals(bench.leftovers(), []);
  });
}

Deno.test("create() whose registration fails terminates and closes", async () => {
  using bench = new ScriptedService();
  bench.library.on("HcsRegisterComputeSystemCallback", { hresult: 0x80004005 });
  await assertRejects(
    () => bench.compute.create("pod1@vm", document),
    HResultError,
    "hcs::System::registerCallback pod1@vm: E_FAIL",
  );
  assertEquals(bench.library.called, [
    ...createSequence.slice(0, 2),
    "HcsTerminateComputeSystem",
    "HcsCloseComputeSystem",
  ]);
  assertEquals(bench.leftovers(), []);
});

for (
  const [name, value] of [
    ["no properties", null],
    ["empty properties", ""],
    ["unparsable properties", "{"],
    ["properties without RuntimeId", '{"RuntimeId":7}'],
    ["properties that are no object", "[]"],
  ] as const
) {
  Deno.test(`create() of a system with ${name} fails and leaves nothing`, async () => {
    using bench = new ScriptedService();
    bench.library.on("HcsGetComputeSystemProperties", { value });
    const error = await assertRejects(
      () => bench.compute.create("pod1@vm", document),
      ShimError,
      "hcs::System::Properties pod1@vm: unexpected value returned from hcs",
    );
    assertEquals(error.code, "Internal");
    assert(bench.library.called.includes("HcsTerminateComputeSystem"));
    assertEquals(bench.leftovers(), []);
  });
}

Deno.test("a success without a handle is refused", async () => {
  using bench = new ScriptedService();
  bench.library.on("HcsCreateComputeSystem", { handle: 0n });
  bench.library.on("HcsOpenComputeSystem", { handle: 0n });
  for (const call of ["create", "open"] as const) {
    await assertRejects(
      () => bench.compute[call]("pod1@vm", {}),
      ShimError,
      "no handle",
    );
  }
  assertEquals(bench.leftovers(), []);
});

Deno.test("the first error wins over those of the clean-up, which are logged", async () => {
  using bench = new ScriptedService();
  bench.library
    .on("HcsGetComputeSystemProperties", { hresult: 0x80070005, value: null })
    .on("HcsTerminateComputeSystem", { throws: new Error("crashed") })
    .on("HcsCloseComputeSystem", { hresult: 0x80004005 });
  await assertRejects(
    () => bench.compute.create("pod1@vm", document),
    HResultError,
    "hcs::System::Properties pod1@vm: E_ACCESSDENIED",
  );
  assertEquals(bench.lines.length, 2);
  assertStringIncludes(bench.lines.join(""), "crashed");
  assertEquals(bench.library.callbacks.size, 0);
});

Deno.test("RuntimeId is found whatever the case of its name", async () => {
  using bench = new ScriptedService();
  bench.library.on("HcsGetComputeSystemProperties", {
    value: '{"runtimeID":"abc"}',
  });
  const system = await bench.compute.create("pod1@vm", {});
  assertEquals(system.runtimeId, "abc");
  await system.close();
});
