import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Duplex, memoryPair } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { encodeFrame, FrameReader, FrameWriter } from "./frames.ts";

const host = { limit: 1024, lineFeed: true };
const guest = { limit: 1024, lineFeed: false };

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(hex.replaceAll(/\s/g, ""));
}

/** A stream that hands out the given pieces, one per read, then ends. */
function source(...pieces: Uint8Array[]): Pick<Duplex, "read"> {
  const waiting = [...pieces];
  return {
    read(buffer) {
      const piece = waiting.shift();
      if (piece === undefined) return Promise.resolve(null);
      const n = Math.min(piece.length, buffer.length);
      buffer.set(piece.subarray(0, n));
      if (n < piece.length) waiting.unshift(piece.subarray(n));
      return Promise.resolve(n);
    },
  };
}

Deno.test("encodeFrame() writes type, size and id little endian, and a host's line feed", () => {
  assertEquals(
    encodeFrame(0x10100201, 0x0102030405060708n, '{"ContainerId":"c"}', host)
      .toHex(),
    bytesOf(`
      01021010           # type 0x10100201, Start
      24000000           # size 36: header 16, payload 19, line feed 1
      0807060504030201   # id
      7b22436f6e7461696e65724964223a2263227d
      0a                 # line feed
    `.replaceAll(/#.*/g, "")).toHex(),
  );
});

Deno.test("encodeFrame() writes a guest's payload without line feed, and counts bytes of UTF-8", () => {
  assertEquals(
    encodeFrame(0x20100201, 0n, '"é"', guest).toHex(),
    bytesOf(`
      01021020
      14000000           # size 20: header 16, payload 4
      0000000000000000
      22c3a922
    `.replaceAll(/#.*/g, "")).toHex(),
  );
});

Deno.test("encodeFrame() accepts exactly the limit and refuses one byte more", () => {
  const text = "x".repeat(1024 - 16);
  assertEquals(encodeFrame(1, 0n, text, guest).length, 1024);
  const error = assertThrows(
    () => encodeFrame(1, 0n, `${text}y`, guest),
    ShimError,
    "1025 bytes: the limit is 1024",
  );
  assertEquals(error.code, "ResourceExhausted");
});

Deno.test("FrameReader reads ids that a double cannot hold", async () => {
  const reader = new FrameReader(
    source(encodeFrame(0x20100201, 2n ** 63n - 1n, "{}", guest)),
    1024,
  );
  assertEquals(await reader.next(), {
    type: 0x20100201,
    id: 9223372036854775807n,
    text: "{}",
  });
  assertEquals(await reader.next(), undefined);
});

Deno.test("FrameReader reads frames that arrive byte by byte, and several at once", async () => {
  const a = encodeFrame(0x20100201, 1n, '"first"', guest);
  const b = encodeFrame(0x20100301, 2n, "", guest);
  const c = encodeFrame(0x20100401, 3n, '"third"', host);
  const whole = new Uint8Array([...a, ...b, ...c]);
  const slow = new FrameReader(
    source(...Array.from(whole, (byte) => Uint8Array.of(byte))),
    1024,
  );
  const fast = new FrameReader(source(whole), 1024);
  for (const reader of [slow, fast]) {
    const texts = [];
    for (let frame; (frame = await reader.next());) texts.push(frame.text);
    assertEquals(texts, ['"first"', "", '"third"\n']);
  }
});

Deno.test("FrameReader reads a frame larger than its buffer, then small ones again", async () => {
  const text = JSON.stringify("x".repeat(300_000));
  const large = encodeFrame(1, 1n, text, { limit: 1e6, lineFeed: false });
  const small = encodeFrame(2, 2n, "{}", guest);
  const reader = new FrameReader(source(large, small, small), 1e6);
  assertEquals((await reader.next())?.text, text);
  assertEquals((await reader.next())?.type, 2);
  assertEquals((await reader.next())?.type, 2);
  assertEquals(await reader.next(), undefined);
});

for (
  const [name, size] of [
    ["0", "00000000"],
    ["15, below a header,", "0f000000"],
    ["1025, above the limit,", "01040000"],
    ["4294967295", "ffffffff"],
  ]
) {
  Deno.test(`FrameReader refuses size ${name} before reading a payload`, async () => {
    const reader = new FrameReader(
      source(bytesOf(`01021020 ${size} 0000000000000000`)),
      1024,
    );
    const error = await assertRejects(() => reader.next(), ShimError);
    assertEquals(error.code, "InvalidArgument");
    assertEquals(
      error.message,
      `Invalid message size ${
        new DataView(bytesOf(size ?? "").buffer).getUint32(0, true)
      } in a bridge header: it must be from 16 to 1024`,
    );
  });
}

Deno.test("FrameReader fails with DataLoss when the stream ends inside a header or a payload", async () => {
  for (const hex of ["010210", "01021020 14000000 0000000000000000 22"]) {
    const reader = new FrameReader(source(bytesOf(hex)), 1024);
    const error = await assertRejects(() => reader.next(), ShimError);
    assertEquals(error.code, "DataLoss");
  }
});

Deno.test("FrameWriter makes one write per frame, in the order of the calls", async () => {
  const writes: number[] = [];
  const gate = Promise.withResolvers<void>();
  const writer = new FrameWriter({
    async write(bytes) {
      await gate.promise;
      writes.push(bytes.length);
    },
  }, guest);
  const sent = [writer.send(1, 0n, "{}"), writer.send(2, 1n, '"abc"')];
  assertEquals(writer.backlog, 2);
  gate.resolve();
  await Promise.all(sent);
  assertEquals(writes, [18, 21]);
  assertEquals(writer.backlog, 0);
});

Deno.test("FrameWriter writes nothing after a failed write", async () => {
  const [ours, theirs] = memoryPair();
  await ours.close();
  let writes = 0;
  const writer = new FrameWriter({
    write(bytes) {
      writes++;
      return ours.write(bytes);
    },
  }, guest);
  const first = writer.send(1, 0n, "{}");
  await assertRejects(() => writer.send(2, 1n, "{}"), ShimError);
  await assertRejects(() => first, ShimError);
  assertEquals(writes, 1);
  await theirs.close();
});
