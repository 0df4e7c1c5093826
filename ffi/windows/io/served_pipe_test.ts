import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import { servePipe } from "./served_pipe.ts";

const name = "\\\\.\\pipe\\served";
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("a served pipe waits for its client, and carries both directions", async () => {
  const bench = new FakeIo();
  const pipe = servePipe(bench.io, name);
  const writing = pipe.write(encode("early"));
  const buffer = new Uint8Array(8);
  const reading = pipe.read(buffer);
  await bench.idle();
  const client = bench.windows.pipes.connect(name);
  await bench.idle();
  await writing;
  assertEquals(client.text(), "early");
  client.write("hello");
  assertEquals(await reading, 5);
  client.close();
  assertEquals(await pipe.read(buffer), null);
  await pipe.close();
  await pipe.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a served pipe has one client: a second one finds no pipe", async () => {
  const bench = new FakeIo();
  const pipe = servePipe(bench.io, name);
  const client = bench.windows.pipes.connect(name);
  await bench.idle();
  assertThrows(() => bench.windows.pipes.connect(name));
  await pipe.write(encode("x"));
  await pipe.close();
  assertEquals(client.text(), "x");
  client.close();
  assertEquals(await bench.end(), []);
});

for (const how of ["close", "refuse"] as const) {
  Deno.test(`${how}() of a served pipe ends the wait for its client`, async () => {
    const bench = new FakeIo();
    const pipe = servePipe(bench.io, name);
    const reading = pipe.read(new Uint8Array(8));
    const writing = assertRejects(() => pipe.write(encode("x")), ShimError);
    await bench.idle();
    await pipe[how]();
    assertEquals(await reading, null);
    assertEquals((await writing).code, "Unavailable");
    await pipe.closeWrite();
    await pipe.close();
    assertEquals(await bench.end(), []);
  });
}

Deno.test("refuse() leaves the client that is there", async () => {
  const bench = new FakeIo();
  const pipe = servePipe(bench.io, name);
  const client = bench.windows.pipes.connect(name);
  await bench.idle();
  await pipe.refuse();
  await pipe.write(encode("still"));
  assertEquals(client.text(), "still");
  client.close();
  await assertRejects(() => pipe.write(encode("gone")));
  await pipe.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a pipe that somebody serves is AlreadyExists", async () => {
  const bench = new FakeIo();
  const pipe = servePipe(bench.io, name);
  const error = assertThrows(() => servePipe(bench.io, name), ShimError);
  assertEquals(error.code, "AlreadyExists");
  await pipe.close();
  assertEquals(await bench.end(), []);
});
