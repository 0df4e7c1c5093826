import { assert, assertEquals } from "@std/assert";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeIo } from "../mock/windows/bench.ts";
import { blockingSlots } from "./library/native_calls.ts";
import { windowsPlatform } from "./platform.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function platformOf(bench: FakeIo): ReturnType<typeof windowsPlatform> {
  const { io, clock, log } = bench;
  const slots = blockingSlots(1);
  const timeouts = defaultTimeouts;
  return windowsPlatform({ io, slots, clock, timeouts, log });
}

Deno.test("streams are served as pipes of administrators with names that differ each time", async () => {
  const bench = new FakeIo();
  const platform = platformOf(bench);
  const names = new Set<string>();
  for (let times = 0; times < 2; times++) {
    await using served = await platform.serveStdio(times === 1);
    const { addresses } = served;
    for (const [stream, address] of Object.entries(addresses)) {
      if (address === "") continue;
      names.add(address);
      const id = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
      const name = `ProtectedPrefix\\\\Administrators\\\\lcow-stdio-${id}`;
      assert(
        new RegExp(`^\\\\\\\\.\\\\pipe\\\\${name}-${stream}$`).test(address),
        address,
      );
    }
    assertEquals(addresses.stderr === "", times === 1);
    assertEquals(served.stderr === undefined, times === 1);
  }
  assertEquals(names.size, 5);
  assertEquals(await bench.end(), []);
});

Deno.test("the end of the input is told by a close, once the shim is there and has all of it", async () => {
  const bench = new FakeIo();
  await using served = await platformOf(bench).serveStdio(false);
  const { addresses, stdin, stdout } = served;
  const ended = stdin.write(encode("typed")).then(() => stdin.closeWrite());
  await bench.idle();
  const input = bench.windows.pipes.connect(addresses.stdin);
  await bench.idle();
  await ended;
  assertEquals(input.text(), "typed");
  assert(input.ended);
  input.close();
  const output = bench.windows.pipes.connect(addresses.stdout);
  output.write("said");
  const buffer = new Uint8Array(8);
  assertEquals(await stdout.read(buffer), 4);
  output.close();
  assertEquals(await stdout.read(buffer), null);
  // The shim opens no errors any more.
  const errors = served.stderr?.read(buffer);
  await served.refuse();
  assertEquals(await errors, null);
  await served[Symbol.asyncDispose]();
  assertEquals(await bench.end(), []);
});
