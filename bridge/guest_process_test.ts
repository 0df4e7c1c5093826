import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import type { GuestHandlers } from "./handlers.ts";
import { linkGuest } from "./linked_guest.ts";

const nothing = { stdin: false, stdout: false, stderr: false };
const all = { stdin: true, stdout: true, stderr: true };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const silentProcess: Partial<GuestHandlers> = {
  ExecuteProcess: () => Promise.resolve({ ProcessId: 9 }),
  WaitForProcess: (_request, { signal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    ),
};

Deno.test("host:M20 reads and writes wait for the guest's dial, and a close ends the wait", async () => {
  await using pair = await linkGuest(() => silentProcess);
  const process = await pair.guest.execute("web", {}, all);
  const read = process.stdout?.read(new Uint8Array(8));
  const write = process.stdin?.write(bytes("x"));
  const half = process.closeStdin();
  const refused = assertRejects(() => write!, ShimError, "closed");
  await process.close();
  assertEquals(await read, null);
  await refused;
  await half;
  assertEquals(pair.ports.listening.size, 0);
});

Deno.test("host:M17 the loss of the bridge rejects exited and ends the wait for dials", async () => {
  await using pair = await linkGuest(() => silentProcess);
  const process = await pair.guest.execute("web", {}, all);
  const read = process.stdout?.read(new Uint8Array(8));
  await pair.connection.close();
  const error = await assertRejects(() => process.exited, ShimError);
  assertEquals(error.code, "Unavailable");
  assertStringIncludes(error.message, "bridge closed");
  assertEquals(await read, null);
  assertEquals(await pair.guest.ended, {});
  await process.close();
});

Deno.test("exited is 0 when the guest does not know the process any more, and fails for other errors", async () => {
  const errors = [
    new HResultError(HResult.ElementNotFound, "process 9"),
    new HResultError(HResult.SystemNotFound, "container web"),
  ];
  await using pair = await linkGuest(() => ({
    ExecuteProcess: () => Promise.resolve({ ProcessId: 9 }),
    WaitForProcess: () => Promise.reject(errors.shift()),
  }));
  const first = await pair.guest.execute("web", {}, nothing);
  assertEquals(await first.exited, 0);
  const second = await pair.guest.execute("web", {}, nothing);
  const error = await assertRejects(() => second.exited, HResultError);
  assertEquals(error.code, "NotFound");
});

Deno.test("host:O15 signal() names the signal, leaves it out for a kill, and tells when nothing was there", async () => {
  const options: unknown[] = [];
  let failure: Error | undefined;
  await using pair = await linkGuest(() => ({
    ...silentProcess,
    SignalProcess: ({ Options }) => {
      options.push(Options);
      return failure ? Promise.reject(failure) : Promise.resolve();
    },
  }));
  const process = await pair.guest.execute("web", {}, nothing);
  assertEquals(await process.signal(15), true);
  assertEquals(await process.signal(), true);
  assertEquals(options, [{ Signal: 15 }, undefined]);
  failure = new HResultError(HResult.ElementNotFound, "process 9");
  assertEquals(await process.signal(9), false);
  failure = new Error("kill failed");
  await assertRejects(() => process.signal(9), HResultError, "kill failed");
});

Deno.test("host:O15 signal() of a guest that can only kill sends no signal, and refuses others", async () => {
  const options: unknown[] = [];
  await using pair = await linkGuest(
    () => ({
      ...silentProcess,
      SignalProcess: ({ Options }) => {
        options.push(Options);
        return Promise.resolve();
      },
    }),
    { RuntimeOsType: "Linux", GuestDefinedCapabilities: {} },
  );
  const process = await pair.guest.execute("web", {}, nothing);
  for (const signal of [6, 9, 15]) assert(await process.signal(signal));
  assertEquals(options, [undefined, undefined, undefined]);
  const error = await assertRejects(() => process.signal(1), ShimError);
  assertEquals(error.code, "InvalidArgument");
  assertStringIncludes(error.message, "invalid signal");
  // Neither is asked of a guest that cannot.
  await pair.guest.deleteContainerState("web");
  assertEquals(await pair.guest.dumpStacks(), "");
});

Deno.test("resize() sends rows as height and columns as width", async () => {
  const sizes: unknown[] = [];
  await using pair = await linkGuest(() => ({
    ...silentProcess,
    ResizeConsole: ({ ProcessId, Height, Width }) => {
      sizes.push({ ProcessId, Height, Width });
      return Promise.resolve();
    },
  }));
  const process = await pair.guest.execute("web", {}, nothing);
  await process.resize(97, 31);
  assertEquals(sizes, [{ ProcessId: 9, Height: 31, Width: 97 }]);
});
