/** What the server does with frames, byte by byte, in the order of the specification. */

import { assertEquals } from "@std/assert";
import { Any } from "./api/any.gen.ts";
import { Request } from "./api/envelope.gen.ts";
import { requestFrame } from "./envelope.ts";
import { encodeFrame, FrameFlag, FrameType } from "./frames.ts";
import { type EchoServer, echoServer, RawPeer, text } from "./testing.ts";

const service = "0a09746573742e4563686f"; // 1 service: "test.Echo"
const say = "1203536179"; // 2 method: "Say"
const watch = "12055761746368"; // 2 method: "Watch"
const hi = "1a040a026869"; // 3 payload: Any { type_url "hi" }

/** A request as hex: header, then the fields of the envelope. */
function request(id: number, ...fields: string[]): string {
  return frame(id, "01", "00", ...fields);
}

function frame(
  id: number,
  type: string,
  flags: string,
  ...fields: string[]
): string {
  const data = fields.join("");
  const length = (data.length / 2).toString(16).padStart(8, "0");
  return length + id.toString(16).padStart(8, "0") + type + flags + data;
}

const code = { invalid: 3, unimplemented: 12, exhausted: 8, internal: 13 };

/** Runs a test against a server and one raw connection; nothing may be left. */
async function withPeer(
  run: (peer: RawPeer, echo: EchoServer) => Promise<void>,
  echo = echoServer(),
): Promise<void> {
  const peer = new RawPeer(echo.connect());
  await run(peer, echo);
  await peer.send(request(0x7fff_ffff, service, say, hi));
  assertEquals(
    await peer.receiveHex(),
    "00000006 7fffffff 02 00 12040a026869",
    "the connection stays",
  );
  assertEquals(echo.server.activeCalls, 0);
  await peer.close();
  await echo.server.shutdown();
  assertEquals(echo.server.connections, 0);
}

Deno.test("a request is answered on its stream with a response that has no status", () =>
  withPeer(async (peer) => {
    await peer.send(
      "00000016", // length: 22
      "00000001", // stream id: 1
      "01", // type: request
      "00", // flags: unary
      service,
      say,
      hi,
    );
    assertEquals(
      await peer.receiveHex(),
      // length 6, stream 1, type response, no flags, 2 payload: Any { "hi" }
      "00000006 00000001 02 00 12040a026869",
    );
  }));

Deno.test("an empty response is a frame without data", () =>
  withPeer(async (peer) => {
    await peer.send(request(3, service, say));
    assertEquals(await peer.receiveHex(), "00000000 00000003 02 00");
  }));

Deno.test("a payload of 200 bytes carries a length of two bytes", () =>
  withPeer(async (peer) => {
    const payload = Any.encode(text("x".repeat(197)));
    assertEquals(payload.length, 200);
    await peer.send(request(1, service, say, "1ac801" + payload.toHex()));
    assertEquals(
      await peer.receiveHex(),
      "000000cb 00000001 02 00 12c801" + payload.toHex(),
    );
  }));

Deno.test("requestFrame() writes what the generated codec writes", () => {
  const all = {
    service: "test.Echo",
    method: "Say",
    payload: Any.encode(text("y".repeat(40_000))),
    timeoutNano: -5n,
    metadata: [{ key: "a", value: "1" }, { key: "a", value: "2" }],
  };
  for (
    const request of [
      all,
      { ...all, payload: new Uint8Array(), timeoutNano: 0n, metadata: [] },
    ]
  ) {
    const expected = encodeFrame(
      5,
      FrameType.Request,
      1,
      Request.encode(request),
    );
    assertEquals(requestFrame(5, 1, request), expected);
  }
});

Deno.test("flags of a request do not change how a unary method is called", () =>
  withPeer(async (peer) => {
    for (const [n, flags] of ["01", "02", "ff"].entries()) {
      await peer.send(frame(2 * n + 1, "01", flags, service, say, hi));
      assertEquals(await peer.receiveStatus(), { id: 2 * n + 1 });
    }
  }));

Deno.test("0: data on an unknown or finished stream is InvalidArgument", () =>
  withPeer(async (peer) => {
    const message = "StreamID is no longer active";
    await peer.send(frame(1, "03", "00", "0a00"));
    assertEquals(await peer.receiveStatus(), {
      id: 1,
      code: code.invalid,
      message,
    });
    await peer.send(request(3, service, say, hi));
    await peer.receive();
    await peer.send(frame(3, "03", "05"));
    assertEquals(await peer.receiveStatus(), {
      id: 3,
      code: code.invalid,
      message,
    });
  }));

Deno.test("1: an unknown service or method is Unimplemented", () =>
  withPeer(async (peer) => {
    const unknown: [string, string, string][] = [
      ["test.Nope", "Say", "service test.Nope"],
      ["test.Echo", "Nope", "method Nope"],
      ["test.Echo", "Missing", "method Missing"],
      ["test.Echo", "constructor", "method constructor"],
      ["__proto__", "toString", "service __proto__"],
      ["", "", "service "],
    ];
    let id = 1;
    for (const [service, method, message] of unknown) {
      const data = Request.encode({ service, method });
      await peer.write(encodeFrame(id, FrameType.Request, 0, data));
      assertEquals(await peer.receiveStatus(), {
        id,
        code: code.unimplemented,
        message,
      });
      id += 2;
    }
  }));

Deno.test("2: bytes that are no request are InvalidArgument", () =>
  withPeer(async (peer) => {
    await peer.send(frame(1, "01", "00", "0aff"));
    const { id, code: got, message } = await peer.receiveStatus();
    assertEquals([id, got], [1, code.invalid]);
    assertEquals(message?.startsWith("unmarshal request error: "), true);
  }));

Deno.test("3: a payload that is no request message is Internal", () =>
  withPeer(async (peer) => {
    await peer.send(request(1, service, say, "1a020aff"));
    const { id, code: got, message } = await peer.receiveStatus();
    assertEquals([id, got], [1, code.internal]);
    assertEquals(
      message?.startsWith("ttrpc: error unmarshalling payload: "),
      true,
    );
  }));

Deno.test("12: an even, repeated or lower stream id is InvalidArgument", () =>
  withPeer(async (peer) => {
    const refused: [number, string][] = [
      [0, "StreamID must be odd for client initiated streams"],
      [8, "StreamID must be odd for client initiated streams"],
      [7, "StreamID cannot be re-used and must increment"],
      [5, "StreamID cannot be re-used and must increment"],
    ];
    await peer.send(request(7, service, say, hi));
    await peer.receive();
    for (const [id, message] of refused) {
      await peer.send(request(id, service, say, hi));
      assertEquals(await peer.receiveStatus(), {
        id,
        code: code.invalid,
        message,
      });
    }
  }));

Deno.test("a repeated id does not disturb the call that has it", async () => {
  const held = Promise.withResolvers<Partial<Any>>();
  let calls = 0;
  const echo = echoServer({
    Say: (request) => calls++ === 0 ? held.promise : Promise.resolve(request),
  });
  await withPeer(async (peer) => {
    await peer.send(request(1, service, say), request(1, service, say));
    assertEquals((await peer.receiveStatus()).code, code.invalid);
    assertEquals(echo.server.activeCalls, 1);
    held.resolve(text("hi"));
    assertEquals(
      await peer.receiveHex(),
      "00000006 00000001 02 00 12040a026869",
    );
  }, echo);
});

Deno.test("frames of an unknown type are ignored", () =>
  withPeer(async (peer) => {
    await peer.send(
      frame(1, "00", "00", "aabb"),
      frame(1, "02", "00"),
      frame(3, "04", "00"),
      frame(5, "ff", "ff", "00"),
    );
  }));

Deno.test("a frame that is too large is discarded whole and answered ResourceExhausted", () =>
  withPeer(async (peer) => {
    for (const [id, length] of [[1, "00400001"], [3, "00500000"]] as const) {
      const size = Number.parseInt(length, 16);
      await peer.send(length, `0000000${id}`, "01", "00");
      for (let left = size; left > 0; left -= 0x10000) {
        await peer.write(new Uint8Array(Math.min(left, 0x10000)).fill(0xff));
      }
      assertEquals(await peer.receiveStatus(), {
        id,
        code: code.exhausted,
        message:
          `message length ${size} exceed maximum message size of 4194304`,
      });
    }
    await peer.send(request(1, service, say, hi)); // its id was not used up
    assertEquals(await peer.receiveStatus(), { id: 1 });
  }));

Deno.test("a message that repeats a long name fits its reply", () =>
  withPeer(async (peer) => {
    const data = Request.encode({ service: "x".repeat(4194304 - 5) });
    assertEquals(data.length, 4194304);
    await peer.write(encodeFrame(1, FrameType.Request, 0, data));
    const { code: got, message } = await peer.receiveStatus();
    assertEquals([got, message?.length], [code.unimplemented, 16_385]);
  }));

Deno.test("a server stream sends data, then ends with remote-closed and no-data", async () => {
  const echo = echoServer({
    async Watch(request, _context, send) {
      await send(request);
      await send({});
    },
  });
  await withPeer(async (peer) => {
    await peer.send(frame(1, "01", "01", service, watch, hi));
    assertEquals(await peer.receiveHex(), "00000004 00000001 03 00 0a026869");
    assertEquals(await peer.receiveHex(), "00000000 00000001 03 00"); // an empty message
    assertEquals(await peer.receiveHex(), "00000000 00000001 03 05");
  }, echo);
});

Deno.test("a server stream that fails ends with a response that carries the status", async () => {
  const echo = echoServer({
    async Watch(request, _context, send) {
      await send(request);
      throw new Deno.errors.NotFound("gone");
    },
  });
  await withPeer(async (peer) => {
    await peer.send(frame(1, "01", "01", service, watch, hi));
    assertEquals(await peer.receiveHex(), "00000004 00000001 03 00 0a026869");
    assertEquals(await peer.receiveStatus(), {
      id: 1,
      code: 5,
      message: "gone",
    });
  }, echo);
});

Deno.test("data that closes the client's half is accepted, other data ends the stream", async () => {
  const reasons: unknown[] = [];
  const echo = echoServer({
    Watch: (_request, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => {
          reasons.push((signal.reason as Error).message);
          reject(signal.reason);
        })
      ),
  });
  const closed = "data handling error: ttrpc: stream closed";
  const single = "data handling error: test.Echo/Watch takes a single message";
  const together = "data close message cannot include data";
  const none = FrameFlag.RemoteClosed | FrameFlag.NoData;
  const sequences: {
    frames: [flags: number, data: string][];
    message: string;
  }[] = [
    { frames: [[none, ""], [0, ""]], message: closed },
    { frames: [[0, "0a00"]], message: single },
    { frames: [[FrameFlag.RemoteClosed, "0a00"]], message: together },
  ];
  await withPeer(async (peer) => {
    let id = 1;
    for (const { frames, message } of sequences) {
      await peer.send(frame(id, "01", "02", service, watch, hi));
      for (const [flags, data] of frames) {
        const bytes = Uint8Array.fromHex(data);
        await peer.write(encodeFrame(id, FrameType.Data, flags, bytes));
      }
      assertEquals(await peer.receiveStatus(), {
        id,
        code: code.invalid,
        message,
      });
      assertEquals(reasons.at(-1), message);
      id += 2;
    }
    assertEquals(echo.server.activeCalls, 0);
  }, echo);
});

Deno.test("a stream that ends within a frame ends the connection and no other", async () => {
  const echo = echoServer();
  for (const bytes of ["00", "000000040000000101", "00000004000000010100aa"]) {
    const stream = echo.connect();
    const peer = new RawPeer(stream);
    await peer.send(bytes);
    await stream.closeWrite();
    assertEquals(await peer.receive(), null);
  }
  await withPeer(() => Promise.resolve(), echo);
});
