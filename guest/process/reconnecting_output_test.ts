import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { silentLogger as log } from "../../base/log.ts";
import {
  isDisconnect,
  ReconnectingOutput,
  ReplayBuffer,
} from "./reconnecting_output.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A connection that accepts some bytes, then fails. */
class Connection implements Duplex {
  received = "";
  isClosed = false;
  #failure: { after: number; error: Error } | undefined;

  failAfter(after: number, error: Error): this {
    this.#failure = { after, error };
    return this;
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  write(data: Uint8Array): Promise<void> {
    const text = new TextDecoder().decode(data);
    if (this.#failure === undefined) {
      this.received += text;
      return Promise.resolve();
    }
    const { after, error } = this.#failure;
    this.received += text.slice(0, after);
    return Promise.reject(error);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

const broken = new Deno.errors.BrokenPipe("EPIPE");

interface Scene {
  readonly output: ReconnectingOutput;
  readonly clock: FakeClock;
  readonly stop: AbortController;
  /** How often was dialled. */
  readonly dials: () => number;
}

/** An output over these connections; an error is a dial that fails. */
function scene(first: Duplex, ...later: (Duplex | Error)[]): Scene {
  const clock = new FakeClock();
  const stop = new AbortController();
  let dials = 0;
  const dial = (): Promise<Duplex> => {
    const next = later[dials++];
    if (next === undefined) throw new TypeError("dialled too often");
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
  const options = { dial, clock, pause: 100, stop: stop.signal, log };
  const output = new ReconnectingOutput(first, options);
  return { output, clock, stop, dials: () => dials };
}

Deno.test("guest:C1 a healthy write passes, without a dial", async () => {
  const first = new Connection();
  const { output, dials } = scene(first);
  await output.write(bytes("hello"));
  assertEquals([first.received, dials()], ["hello", 0]);
});

Deno.test("guest:C2 a write that is cut off goes on over one new connection", async () => {
  const first = new Connection().failAfter(2, broken);
  const second = new Connection();
  const { output, dials } = scene(first, second);
  await output.write(bytes("hello"));
  assertEquals([first.received, first.isClosed], ["he", true]);
  assertEquals([second.received, dials()], ["hello", 1]);
});

Deno.test("guest:C3 a dial that fails is repeated until it succeeds", async () => {
  const second = new Connection();
  const refused = new Deno.errors.ConnectionRefused("not yet");
  const first = new Connection().failAfter(0, broken);
  const { output, dials, clock } = scene(first, refused, second);
  const written = output.write(bytes("hello"));
  await clock.advance(99);
  assertEquals(dials(), 1);
  await clock.advance(1);
  await written;
  assertEquals([second.received, dials()], ["hello", 2]);
});

Deno.test("a replay that fails is tried again after the pause", async () => {
  const second = new Connection().failAfter(1, new Error("again"));
  const third = new Connection();
  const { output, dials, clock } = scene(
    new Connection().failAfter(0, broken),
    second,
    third,
  );
  const written = output.write(bytes("hello"));
  await clock.advance(100);
  await written;
  assertEquals([second.isClosed, third.received, dials()], [true, "hello", 2]);
});

Deno.test("guest:C4 any other error is returned, without a dial", async () => {
  const other = new ShimError("Internal", "other");
  const { output, dials } = scene(new Connection().failAfter(0, other));
  assertEquals(await assertRejects(() => output.write(bytes("x"))), other);
  assertEquals(dials(), 0);
});

Deno.test("guest:C5 a disconnect after the stop is returned, without a dial", async () => {
  const first = new Connection().failAfter(0, broken);
  const { output, dials, stop } = scene(first);
  stop.abort();
  assertEquals(await assertRejects(() => output.write(bytes("x"))), broken);
  assertEquals([first.received, dials()], ["", 0]);
});

Deno.test("a stop, or a close, ends a write that waits for the host", async () => {
  const refused = new Deno.errors.ConnectionRefused("gone");
  for (const end of ["stop", "close"]) {
    const first = new Connection().failAfter(0, broken);
    const { output, stop, clock } = scene(first, refused, refused);
    const written = assertRejects(() => output.write(bytes("x")));
    await clock.advance(50);
    if (end === "stop") stop.abort();
    else await output.close();
    assertEquals(await written, broken);
    assertEquals(clock.sleepers, 0);
  }
});

Deno.test("guest:C6 close() closes the connection of now", async () => {
  const first = new Connection().failAfter(0, broken);
  const second = new Connection();
  const { output } = scene(first, second);
  await output.write(bytes("x"));
  await output.close();
  assertEquals(second.isClosed, true);
});

Deno.test("guest:C7 EPIPE, ECONNRESET and ENOTCONN are disconnects, also inside other errors", () => {
  const { BrokenPipe, ConnectionReset, NotConnected, ConnectionAborted } =
    Deno.errors;
  for (const type of [BrokenPipe, ConnectionReset, NotConnected]) {
    const error = new type("lost");
    assertEquals(isDisconnect(error), true);
    assertEquals(isDisconnect(new Error("outer", { cause: error })), true);
  }
  for (
    const error of [
      new ConnectionAborted("ECONNABORTED"),
      new ShimError("Unavailable", "ESHUTDOWN"),
      new Error("other"),
      null,
      undefined,
    ]
  ) assertEquals(isDisconnect(error), false, String(error));
});

Deno.test("guest:C8 what a lost connection had accepted is sent again before what is new", async () => {
  const first = new Connection();
  const second = new Connection();
  const { output } = scene(first, second);
  await output.write(bytes("AAA"));
  first.failAfter(0, broken);
  await output.write(bytes("BBB"));
  assertEquals([first.received, second.received], ["AAA", "AAABBB"]);
});

Deno.test("guest:C9 a replay buffer keeps the last bytes", () => {
  const buffer = new ReplayBuffer(4);
  const kept = (): string =>
    buffer.parts.map((part) => new TextDecoder().decode(part)).join("");
  assertEquals(kept(), "");
  for (
    const [added, expected] of [
      ["ab", "ab"],
      ["cd", "abcd"],
      ["ef", "cdef"],
      ["0123456789", "6789"],
      ["", "6789"],
    ] as const
  ) {
    buffer.append(bytes(added));
    assertEquals(kept(), expected);
  }
});
