import { assertEquals, assertRejects } from "@std/assert";
import { connDuplex, listenerDuplex, memoryPair, readFull } from "./duplex.ts";
import { ShimError } from "./errors.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("memoryPair() carries bytes both ways and keeps their order", async () => {
  const [a, b] = memoryPair();
  await a.write(bytes("one"));
  await a.write(bytes("two"));
  await b.write(bytes("back"));
  const buffer = new Uint8Array(6);
  assertEquals(await readFull(b, buffer), true);
  assertEquals(new TextDecoder().decode(buffer), "onetwo");
  assertEquals(await readFull(a, buffer.subarray(0, 4)), true);
});

Deno.test("closeWrite() lets the peer read what was written, then null", async () => {
  const [a, b] = memoryPair();
  await a.write(bytes("x"));
  await a.closeWrite();
  await a.closeWrite();
  const buffer = new Uint8Array(4);
  assertEquals(await b.read(buffer), 1);
  assertEquals(await b.read(buffer), null);
  await b.write(bytes("still"));
  assertEquals(await a.read(buffer), 4);
});

Deno.test("close() ends a pending read with null and rejects a pending write", async () => {
  const [a, b] = memoryPair();
  const read = a.read(new Uint8Array(1));
  const write = a.write(new Uint8Array(1024 * 1024));
  const rejected = assertRejects(() => write, ShimError, "closed");
  await a.close();
  await a.close();
  assertEquals(await read, null);
  await rejected;
  await assertRejects(() => b.write(bytes("x")), ShimError, "closed");
});

Deno.test("write() waits while the peer does not read", async () => {
  const [a, b] = memoryPair();
  let done = false;
  const write = a.write(new Uint8Array(1024 * 1024)).then(() => done = true);
  const buffer = new Uint8Array(64 * 1024);
  for (let left = 1024 * 1024; left > 0;) {
    assertEquals(done, left <= 256 * 1024);
    left -= await b.read(buffer) ?? 0;
    await Promise.resolve();
    await Promise.resolve();
  }
  await write;
});

Deno.test("readFull() tells an end before the first byte from one in the middle", async () => {
  const [a, b] = memoryPair();
  await a.write(bytes("ab"));
  await a.closeWrite();
  const error = await assertRejects(
    () => readFull(b, new Uint8Array(3)),
    ShimError,
    "2 of 3",
  );
  assertEquals(error.code, "DataLoss");
  assertEquals(await readFull(b, new Uint8Array(3)), false);
});

Deno.test("connDuplex() and listenerDuplex() adapt real sockets", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/s.sock`;
  const listener = listenerDuplex(Deno.listen({ transport: "unix", path }));
  const aborted = new AbortController();
  const first = listener.accept(aborted.signal);
  aborted.abort();
  await assertRejects(() => first, DOMException);
  const client = connDuplex(await Deno.connect({ transport: "unix", path }));
  const server = await listener.accept();
  await client.write(bytes("hello"));
  await client.closeWrite();
  const buffer = new Uint8Array(16);
  assertEquals(await server.read(buffer), 5);
  assertEquals(await server.read(buffer), null);
  const pending = client.read(buffer);
  await client.close();
  await client.close();
  assertEquals(await pending, null);
  await assertRejects(() => client.write(bytes("x")), ShimError);
  await server.close();
  await listener.close();
  await listener.close();
  await assertRejects(() => listener.accept(), ShimError, "closed");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("listenerDuplex() ends a pending accept when it is closed", async () => {
  const dir = await Deno.makeTempDir();
  const listener = listenerDuplex(
    Deno.listen({ transport: "unix", path: `${dir}/s.sock` }),
  );
  const pending = assertRejects(() => listener.accept(), ShimError, "closed");
  await listener.close();
  await pending;
  await Deno.remove(dir, { recursive: true });
});
