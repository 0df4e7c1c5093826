import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import {
  encodeFrame,
  type Frame,
  FrameFlag,
  FrameReader,
  FrameType,
} from "./frames.ts";
import { ttrpcLimits } from "./limits.ts";

/** A source that hands out these pieces, one per read. */
function source(...pieces: Uint8Array[]): Pick<Duplex, "read"> {
  const rest = pieces.toReversed();
  return {
    read(buffer) {
      const piece = rest.pop();
      if (piece === undefined) return Promise.resolve(null);
      const n = Math.min(piece.length, buffer.length);
      buffer.set(piece.subarray(0, n));
      if (n < piece.length) rest.push(piece.subarray(n));
      return Promise.resolve(n);
    },
  };
}

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

async function readAll(reader: FrameReader): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (let f = await reader.next(); f !== null; f = await reader.next()) {
    frames.push(f);
  }
  return frames;
}

Deno.test("encodeFrame() writes length, stream id, type, flags and data in one buffer", () => {
  const flags = FrameFlag.RemoteClosed | FrameFlag.NoData;
  const vectors: [Uint8Array, string][] = [
    //                                                              length   stream   ty fl data
    [
      encodeFrame(1, FrameType.Request, 0, hex("0a0161")),
      "00000003 00000001 01 00 0a0161",
    ],
    [
      encodeFrame(0x01020305, FrameType.Response, 0, hex("")),
      "00000000 01020305 02 00",
    ],
    [
      encodeFrame(0xffffffff, FrameType.Data, flags, hex("")),
      "00000000 ffffffff 03 05",
    ],
    [
      encodeFrame(3, FrameType.Request, FrameFlag.RemoteOpen, hex("")),
      "00000000 00000003 01 02",
    ],
  ];
  for (const [frame, expected] of vectors) assertEquals(frame, hex(expected));
  const large = encodeFrame(1, FrameType.Data, 0, new Uint8Array(0x12345));
  assertEquals(large.subarray(0, 4), hex("00012345"));
  assertEquals(large.length, 0x12345 + 10);
});

Deno.test("encodeFrame() accepts 4 MiB and refuses one byte more with ResourceExhausted", () => {
  assertEquals(ttrpcLimits.data, 4194304);
  const largest = encodeFrame(1, FrameType.Data, 0, new Uint8Array(4194304));
  assertEquals(largest.subarray(0, 4), hex("00400000"));
  const error = assertThrows(
    () => encodeFrame(1, FrameType.Data, 0, new Uint8Array(4194305)),
    ShimError,
    "message length 4194305 exceed maximum message size of 4194304",
  );
  assertEquals(error.code, "ResourceExhausted");
});

Deno.test("next() reads frames however the bytes are cut", async () => {
  const bytes = hex(
    "00000003 00000001 01 00 0a0161" + "00000000 fffffffd 03 05" +
      "00000001 00000003 2a ff 7f",
  );
  const expected = [
    { streamId: 1, type: 1, flags: 0, length: 3, data: hex("0a0161") },
    { streamId: 0xfffffffd, type: 3, flags: 5, length: 0, data: hex("") },
    { streamId: 3, type: 0x2a, flags: 0xff, length: 1, data: hex("7f") },
  ];
  for (let size = 1; size <= bytes.length; size++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      pieces.push(bytes.subarray(at, at + size));
    }
    assertEquals(await readAll(new FrameReader(source(...pieces))), expected);
  }
});

Deno.test("next() reads the largest frame, and the one behind it", async () => {
  const data = new Uint8Array(4194304);
  data[0] = 1;
  data[data.length - 1] = 2;
  const frames = await readAll(
    new FrameReader(
      source(
        encodeFrame(1, FrameType.Request, 0, data),
        encodeFrame(3, FrameType.Request, 0, hex("aa")),
      ),
    ),
  );
  assertEquals(frames.map(({ streamId, length }) => [streamId, length]), [
    [1, 4194304],
    [3, 1],
  ]);
  assertEquals(frames[0]!.data, data);
});

Deno.test("next() discards exactly the data of a frame that is too large", async () => {
  for (const size of [1, 7, 1000, 100_000]) {
    const bytes = new Uint8Array(10 + 50_000 + 11);
    bytes.set(hex("0000c350 00000005 01 00"));
    bytes.set(hex("00000001 00000007 01 00 55"), 50_010);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      pieces.push(bytes.subarray(at, at + size));
    }
    const frames = await readAll(new FrameReader(source(...pieces), 49_999));
    assertEquals(frames, [
      { streamId: 5, type: 1, flags: 0, length: 50_000, data: undefined },
      { streamId: 7, type: 1, flags: 0, length: 1, data: hex("55") },
    ]);
  }
});

Deno.test("next() hands out data that later frames do not overwrite", async () => {
  const reader = new FrameReader(
    source(
      hex("00000001 00000001 01 00 11"),
      hex("00000001 00000003 01 00 22"),
    ),
  );
  const first = await reader.next();
  await reader.next();
  assertEquals(first?.data, hex("11"));
});

Deno.test("next() fails with DataLoss when the stream ends within a frame", async () => {
  const cut: [string, string][] = [
    ["00000001 000000", "after 7 of 10 bytes of a frame header"],
    ["00000004 00000001 01 00 aabb", "after 2 of 4 bytes"],
    ["00000004 00000001 01 00", "after 0 of 4 bytes"],
    ["ffffffff 00000001 01 00 aabbcc", "after 3 of 4294967295 bytes"],
  ];
  for (const [bytes, message] of cut) {
    const error = await assertRejects(
      () => new FrameReader(source(hex(bytes))).next(),
      ShimError,
      message,
    );
    assertEquals(error.code, "DataLoss");
  }
  assertEquals(await new FrameReader(source()).next(), null);
});
