import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import { NtStatus } from "../../mock/windows/status.ts";
import { dialHv } from "./hv_dial.ts";
import { HvListener } from "./hv_listener.ts";

const vm = "11111111-2222-3333-4444-555555555555";

Deno.test("a dial reaches the listener; both directions end on their own", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, 109);
  const [server, client] = await Promise.all([
    listener.accept(),
    dialHv(bench.io, vm, 109),
  ]);
  const buffer = new Uint8Array(8);
  await client.write(Uint8Array.of(1, 2));
  await client.closeWrite();
  assertEquals(await server.read(buffer), 2);
  assertEquals(await server.read(buffer), null);
  await server.write(Uint8Array.of(3));
  assertEquals(await client.read(buffer), 1);
  await server.close();
  assertEquals(await client.read(buffer), null);
  await client.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a port where nobody listens refuses", async () => {
  const bench = new FakeIo();
  await assertRejects(
    () => dialHv(bench.io, vm, 1),
    HResultError,
    `Cannot connect to port 1 of virtual machine "${vm}"`,
  );
  assertEquals(await bench.end(), []);
});

Deno.test("a virtual machine that is none is refused", async () => {
  const bench = new FakeIo();
  const error = await assertRejects(() => dialHv(bench.io, "vm", 1), ShimError);
  assertEquals(error.code, "InvalidArgument");
  assertEquals(await bench.end(), []);
});

Deno.test("a provider without ConnectEx is an error", async () => {
  const bench = new FakeIo();
  bench.windows.calls.fail("WSAIoctl", 10022);
  await assertRejects(
    () => dialHv(bench.io, vm, 1),
    HResultError,
    "Cannot find ConnectEx",
  );
  assertEquals(await bench.end(), []);
});

Deno.test("the signal ends a dial with its reason", async () => {
  const bench = new FakeIo();
  const controller = new AbortController();
  const reason = new ShimError("Canceled", "enough");
  const { promise: when } = Promise.withResolvers<void>();
  bench.windows.calls.completeLater("ConnectEx", { status: 0, count: 0, when });
  const { signal } = controller;
  const dialling = assertRejects(() => dialHv(bench.io, vm, 1, signal));
  await bench.idle();
  assertEquals(bench.io.port.pending, 1);
  controller.abort(reason);
  assertStrictEquals(await dialling, reason);
  const before = bench.windows.calls.made.length;
  const again = await assertRejects(() => dialHv(bench.io, vm, 1, signal));
  assertStrictEquals(again, reason);
  assertEquals(bench.windows.calls.made.length, before);
  assertEquals(await bench.end(), []);
});

Deno.test("a dial that fails later says why", async () => {
  const bench = new FakeIo();
  bench.windows.calls.completeLater("ConnectEx", {
    status: NtStatus.InsufficientResources,
    count: 0,
    when: Promise.resolve(),
  });
  await assertRejects(
    () => dialHv(bench.io, vm, 1),
    HResultError,
    "(0x800705AA)",
  );
  assertEquals(await bench.end(), []);
});

Deno.test("whichever call fails, nothing is left behind", async () => {
  let isDone = false;
  for (let skip = 0; !isDone; skip++) {
    const bench = new FakeIo();
    const { calls } = bench.windows;
    const listener = HvListener.open(bench.io, vm, 1);
    calls.failAfter(skip, 10055);
    try {
      const stream = await dialHv(bench.io, vm, 1);
      await stream.write(Uint8Array.of(1)).catch(() => null);
      await stream.close();
    } catch (error) {
      assert(error instanceof ShimError, String(error));
    }
    await listener.close();
    isDone = !calls.hasFailed;
    if (isDone) assert(skip >= 7, `only ${skip} calls`);
    assertEquals(await bench.end(), [], `call ${skip} failed`);
  }
});
