import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError, isAlreadyStopped } from "../../base/hresult.ts";
import type { Json } from "../../base/json.ts";
import type { ComputeHost, ComputeSystem, ExitInfo } from "../../hcs/ports.ts";
import { blockingSlots } from "../windows/library/native_calls.ts";
import { encodeUtf16, takeUtf16 } from "../windows/library/utf16.ts";
import { VmCompute } from "../windows/compute/vmcompute.ts";
import { type MockVmCompute, mockVmCompute } from "./hcs.ts";

/** A host that records its calls and answers what the test puts into it. */
class FakeHost implements ComputeHost {
  readonly calls: unknown[][] = [];
  readonly exit = Promise.withResolvers<ExitInfo>();
  /** Error of the next call with this name. */
  readonly failures = new Map<string, Error>();
  /** `create` and `start` end with this. */
  gate: Promise<void> = Promise.resolve();
  signal: AbortSignal | undefined;

  #call(name: string, ...args: unknown[]): Promise<void> {
    this.calls.push([name, ...args]);
    const failure = this.failures.get(name);
    this.failures.delete(name);
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  }

  #system(id: string): ComputeSystem {
    return {
      id,
      runtimeId: "guid",
      exited: this.exit.promise,
      start: async (signal) => {
        this.signal = signal;
        await this.gate;
        await this.#call("start");
      },
      modify: (request) => this.#call("modify", request),
      properties: async (query) => {
        await this.#call("properties", query);
        return { Memory: 2n ** 60n, Query: query };
      },
      terminate: async () => {
        await this.#call("terminate");
        this.exit.resolve({ status: 0, exitType: "ForcedExit" });
      },
      close: () => this.#call("close"),
    };
  }

  async create(id: string, document: Json, signal?: AbortSignal) {
    this.signal = signal;
    await this.gate;
    await this.#call("create", id, document);
    return this.#system(id);
  }

  async open(id: string) {
    await this.#call("open", id);
    return this.#system(id);
  }

  async enumerate(query: Json) {
    await this.#call("enumerate", query);
    return [{ Id: "a", Owner: "o", RuntimeId: "guid", State: "Running" }];
  }

  async serviceProperties(query: Json) {
    await this.#call("serviceProperties", query);
    return { Cpus: 4 };
  }

  grantAccess(vm: string, path: string) {
    return this.#call("grantAccess", vm, path);
  }

  revokeAccess(vm: string, path: string) {
    return this.#call("revokeAccess", vm, path);
  }
}

class Bench {
  readonly host = new FakeHost();
  readonly library: MockVmCompute = mockVmCompute(this.host);
  readonly clock = new FakeClock();
  readonly compute = new VmCompute(this.library, {
    clock: this.clock,
    slots: blockingSlots(4),
  });

  assertClean(): void {
    const { memory, openHandles } = this.library;
    assertEquals(
      [openHandles, memory.live, memory.allocated - memory.freed],
      [0, 0, 0],
    );
    assertEquals(this.clock.sleepers, 0);
  }

  [Symbol.dispose](): void {
    this.library[Symbol.dispose]();
  }
}

Deno.test("a system's whole life reaches the host through the symbol table, unchanged", async () => {
  using bench = new Bench();
  const { host, compute } = bench;
  const document = { Owner: "é💾", Big: 18446744073709551615n };
  const system = await compute.create("pod1@vm", document);
  assertEquals([system.id, system.runtimeId], ["pod1@vm", "guid"]);
  await system.start();
  await system.modify({ Lun: 3 });
  assertEquals(await system.properties({ PropertyTypes: ["Memory"] }), {
    Id: "pod1@vm",
    RuntimeId: "guid",
    Memory: 2n ** 60n,
    Query: { PropertyTypes: ["Memory"] },
  });
  await system.terminate();
  assertEquals(await system.exited, { status: 0, exitType: "ForcedExit" });
  await system.close();
  assertEquals(host.calls, [
    ["create", "pod1@vm", document],
    ["properties", {}],
    ["start"],
    ["modify", { Lun: 3 }],
    ["properties", { PropertyTypes: ["Memory"] }],
    ["terminate"],
    ["close"],
  ]);
  bench.assertClean();
});

Deno.test("calls of the service reach the host", async () => {
  using bench = new Bench();
  const { host, compute } = bench;
  const rows = await compute.enumerate({ Ids: ["a"] });
  assertEquals(rows.map((row) => row.Id), ["a"]);
  assertEquals(await compute.serviceProperties({ X: 1 }), { Cpus: 4 });
  await compute.grantAccess("guid", "/a b.img");
  await compute.revokeAccess("guid", "/a b.img");
  assertEquals(host.calls, [
    ["enumerate", { Ids: ["a"] }],
    ["serviceProperties", { X: 1 }],
    ["grantAccess", "guid", "/a b.img"],
    ["revokeAccess", "guid", "/a b.img"],
  ]);
  bench.assertClean();
});

const failing: [string, (compute: VmCompute) => Promise<unknown>][] = [
  ["create", (c) => c.create("a", {})],
  ["open", (c) => c.open("a")],
  ["enumerate", (c) => c.enumerate({})],
  ["serviceProperties", (c) => c.serviceProperties({})],
];
for (const [name, call] of failing) {
  Deno.test(`${name}() fails with the host's code and words`, async () => {
    using bench = new Bench();
    const { host, compute } = bench;
    const failure = new HResultError(HResult.SystemNotFound, 'No "a" here');
    host.failures.set(name, failure);
    const error = await assertRejects(() => call(compute), HResultError);
    assertEquals(error.hresult, HResult.SystemNotFound);
    assertStringIncludes(
      error.message,
      ': No "a" here: HCS_E_SYSTEM_NOT_FOUND (0xC037010E)',
    );
    assertEquals(error.message.split("0xC037010E").length, 2, "one code");
    bench.assertClean();
  });
}

const failingOfSystem: [string, (system: ComputeSystem) => Promise<unknown>][] =
  [
    ["start", (s) => s.start()],
    ["modify", (s) => s.modify({})],
    ["properties", (s) => s.properties({})],
    ["terminate", (s) => s.terminate()],
    ["close", (s) => s.close()],
  ];
for (const [name, call] of failingOfSystem) {
  Deno.test(`${name}() of a system fails with the class of the host's error`, async () => {
    using bench = new Bench();
    const { host, compute } = bench;
    const system = await compute.create("a", {});
    host.failures.set(name, new ShimError("PermissionDenied", "Not you"));
    const error = await assertRejects(() => call(system), HResultError);
    assertEquals([error.code, error.hresult], ["PermissionDenied", 0x80070005]);
    if (name !== "close") {
      assertStringIncludes(error.message, "Not you");
      await system.close();
      bench.assertClean();
    }
  });
}

Deno.test("an error of the host without a class keeps its words", async () => {
  using bench = new Bench();
  bench.host.failures.set("enumerate", new TypeError("x is undefined"));
  await assertRejects(
    () => bench.compute.enumerate({}),
    HResultError,
    "hcs::EnumerateComputeSystems: x is undefined: E_FAIL (0x80004005)",
  );
});

Deno.test("a crash of the system is an unexpected exit", async () => {
  using bench = new Bench();
  const system = await bench.compute.open("a");
  bench.host.exit.resolve({ status: 0xc0370106, exitType: "UnexpectedExit" });
  assertEquals(await system.exited, {
    status: 0xc0370106,
    exitType: "UnexpectedExit",
  });
  await system.close();
  bench.assertClean();
});

Deno.test("a lost host is a lost service", async () => {
  using bench = new Bench();
  const system = await bench.compute.open("a");
  bench.host.exit.reject(new ShimError("Unavailable", "gone"));
  await assertRejects(() => system.exited, ShimError, "lost communication");
  await system.close();
  bench.assertClean();
});

Deno.test("an exit before anybody registered is delivered to the registration", async () => {
  using bench = new Bench();
  bench.host.exit.resolve({ status: 0, exitType: "GracefulExit" });
  const system = await bench.compute.open("a");
  assertEquals((await system.exited).exitType, "GracefulExit");
  await system.close();
  bench.assertClean();
});

Deno.test("the host's create() is cancelled when its caller gives up", async () => {
  using bench = new Bench();
  const { host, compute, clock } = bench;
  const controller = new AbortController();
  const made = Promise.withResolvers<void>();
  host.gate = made.promise;
  const rejected = assertRejects(
    () => compute.create("a", {}, controller.signal),
    ShimError,
    "too late",
  );
  await clock.advance(0);
  controller.abort(new ShimError("Canceled", "too late"));
  await clock.advance(0);
  assertEquals(host.signal?.aborted, true);
  made.resolve(); // a host that does not listen makes it nevertheless
  await rejected;
  assertEquals(host.calls.map(([name]) => name), ["create", "close"]);
  bench.assertClean();
});

Deno.test("the host's start() is cancelled when the handle is closed", async () => {
  using bench = new Bench();
  const { host, compute, clock } = bench;
  const system = await compute.open("a");
  const started = Promise.withResolvers<void>();
  host.gate = started.promise;
  const rejected = assertRejects(
    () => system.start(),
    HResultError,
    "the handle generating this notification has been closed",
  );
  await clock.advance(0);
  await system.close();
  await rejected;
  assertEquals(host.signal?.aborted, true);
  started.resolve();
  await clock.advance(0);
  bench.assertClean();
});

Deno.test("raw calls: bad JSON, unknown handles and null pointers are answered, not thrown", async () => {
  using library = mockVmCompute(new FakeHost());
  const {
    HcsCreateComputeSystem: create,
    HcsModifyComputeSystem: modify,
    HcsCloseComputeSystem: close,
    HcsUnregisterComputeSystemCallback: unregister,
    HcsEnumerateComputeSystems: enumerate,
  } = library.symbols;
  const out = new BigUint64Array(1);
  const result = new BigUint64Array(1);
  const text = encodeUtf16("{");
  const hr = await create!(encodeUtf16("a"), text, 0n, out, result);
  assertEquals([hr >>> 0, out[0]], [HResult.InvalidJson, 0n]);
  assertStringIncludes(takeUtf16(result, library.memory)!, "configuration");
  assertEquals(await modify!(7n, text, result) >>> 0, HResult.InvalidHandle);
  takeUtf16(result, library.memory);
  assertEquals(await close!(7n) >>> 0, HResult.InvalidHandle);
  assertEquals(await unregister!(7n) >>> 0, HResult.InvalidHandle);
  assert(await enumerate!(null, out, result) < 0);
  takeUtf16(result, library.memory);
  assertEquals(library.memory.live, 0);
});

Deno.test("terminating a system that has stopped already is a success", async () => {
  using bench = new Bench();
  const failure = new HResultError(HResult.SystemAlreadyStopped, "stopped");
  assert(isAlreadyStopped(failure));
  bench.host.failures.set("terminate", failure);
  const system = await bench.compute.open("a");
  await system.terminate();
  await system.close();
  bench.assertClean();
});

Deno.test("shutdown() of a system ends it, for a host has one way to", async () => {
  using bench = new Bench();
  const system = await bench.compute.open("a");
  await system.shutdown();
  assertEquals((await system.exited).exitType, "ForcedExit");
  await system.close();
  assertEquals(bench.host.calls.map(([name]) => name), [
    "open",
    "properties",
    "terminate",
    "close",
  ]);
  bench.assertClean();
});

for (const name of ["pause", "resume", "save"] as const) {
  Deno.test(`${name}() of a system is answered with E_NOTIMPL`, async () => {
    using bench = new Bench();
    const system = await bench.compute.open("a");
    const error = await assertRejects(
      () => system[name]({}),
      HResultError,
      `This host ${name}s no system: E_NOTIMPL (0x80004001)`,
    );
    assertEquals(error.code, "NotImplemented");
    await system.close();
    bench.assertClean();
  });
}
