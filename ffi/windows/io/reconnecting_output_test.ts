import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { FakeClock } from "../../../base/clock.ts";
import { type Duplex, memoryPair } from "../../../base/duplex.ts";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { jsonLogger } from "../../../base/log.ts";
import { win32Error } from "../library/win32_error.ts";
import { ReconnectingOutput } from "./reconnecting_output.ts";

const name = "\\\\.\\pipe\\out";

/** A reader that may go away. */
class Reader {
  readonly writes: Uint8Array[] = [];
  closes = 0;
  /** What the next write fails with. */
  failure: Error | undefined;
  /** Writes wait for this. */
  gate: Promise<void> = Promise.resolve();
  readonly #ends = memoryPair();
  readonly stream: Duplex = {
    ...this.#ends[0],
    write: async (bytes) => {
      await this.gate;
      if (this.failure !== undefined) throw this.failure;
      this.writes.push(bytes.slice());
    },
    close: () => {
      this.closes++;
      return this.#ends[0].close();
    },
  };
  get text(): string {
    return this.writes.map((bytes) => new TextDecoder().decode(bytes)).join("");
  }
}

/** Dials that end as the test says: in order, the last one again and again. */
class Bench {
  readonly clock = new FakeClock();
  readonly start = this.clock.now();
  /** When each dial was made, milliseconds after the start. */
  readonly dials: number[] = [];
  readonly answers: (Duplex | Error | Promise<Duplex>)[] = [];
  readonly lines: string[] = [];
  readonly first = new Reader();
  signal: AbortSignal | undefined;
  output(limit: number, random = () => 0.5): ReconnectingOutput {
    return new ReconnectingOutput(this.first.stream, {
      name,
      limit,
      clock: this.clock,
      log: jsonLogger((line) => this.lines.push(line)),
      random,
      dial: async (signal) => {
        this.signal = signal;
        this.dials.push(this.clock.now() - this.start);
        const answer = this.answers.length > 1
          ? this.answers.shift()
          : this.answers[0];
        if (answer instanceof Error) throw answer;
        return await answer!;
      },
    });
  }
}

const absent = win32Error(2, `Cannot connect to pipe "${name}"`);
const bytes = new TextEncoder().encode("portion");

for (
  const [code, symbol] of [
    [232, "ERROR_NO_DATA"],
    [233, "ERROR_PIPE_NOT_CONNECTED"],
    [109, "ERROR_BROKEN_PIPE"],
  ] as const
) {
  Deno.test(`after ${symbol} the portion is written to the new reader`, async () => {
    const bench = new Bench();
    const next = new Reader();
    bench.answers.push(next.stream);
    const output = bench.output(1000);
    await output.write(new TextEncoder().encode("before "));
    bench.first.failure = win32Error(code, "Cannot write");
    await output.write(bytes);
    await output.write(new TextEncoder().encode(" after"));
    assertEquals(bench.first.text, "before ");
    assertEquals(next.text, "portion after");
    assertEquals(bench.first.closes, 1);
    assertEquals(bench.dials, [0], "it is dialled at once");
    assert(bench.lines.join().includes("reader of a stream is gone"));
    await output.close();
    assertEquals(next.closes, 1);
    assertEquals(bench.clock.sleepers, 0);
  });
}

Deno.test("large writes go in portions: only the one that failed is written again", async () => {
  const bench = new Bench();
  const next = new Reader();
  bench.answers.push(next.stream);
  const output = bench.output(1000);
  const all = crypto.getRandomValues(new Uint8Array(60_000));
  const large = new Uint8Array(180_000);
  for (let at = 0; at < large.length; at += all.length) large.set(all, at);
  const { write } = bench.first.stream;
  let writes = 0;
  bench.first.stream.write = async (part) => {
    if (++writes === 2) throw win32Error(109, "Cannot write");
    await write(part);
  };
  await output.write(large);
  assertEquals(bench.first.writes.map((part) => part.length), [65536]);
  assertEquals(next.writes.map((part) => part.length), [65536, 48928]);
  assertEquals(next.writes[0], large.slice(65536, 2 * 65536));
  await output.close();
});

Deno.test("pauses grow by half from 200 ms, up to 60 s", async () => {
  const bench = new Bench();
  const next = new Reader();
  for (let count = 0; count < 18; count++) bench.answers.push(absent);
  bench.answers.push(next.stream);
  const output = bench.output(0);
  bench.first.failure = win32Error(232, "Cannot write");
  const writing = output.write(bytes);
  await bench.clock.advance(600_000);
  await writing;
  const pauses = bench.dials.slice(1).map((at, index) =>
    at - bench.dials[index]!
  );
  const expected = Array.from(
    { length: 18 },
    (_, index) => Math.min(60_000, 200 * 1.5 ** index),
  );
  assertEquals(pauses.map(Math.round), expected.map(Math.round));
  assertEquals(next.text, "portion");
  await output.close();
});

for (const [random, factor] of [[0, 0.5], [0.25, 0.75], [1, 1.5]] as const) {
  Deno.test(`a random ${random} makes the pause ${factor} of it`, async () => {
    const bench = new Bench();
    bench.answers.push(absent, absent, new Reader().stream);
    const output = bench.output(0, () => random);
    bench.first.failure = win32Error(232, "Cannot write");
    const writing = output.write(bytes);
    await bench.clock.advance(1000);
    await writing;
    assertEquals(bench.dials, [0, 200 * factor, 500 * factor]);
    await output.close();
  });
}

Deno.test("it gives up after the limit, and not before", async () => {
  const bench = new Bench();
  bench.answers.push(absent);
  const output = bench.output(1_000);
  bench.first.failure = win32Error(109, "Cannot write");
  let isOver = false;
  const writing = assertRejects(
    () => output.write(bytes),
    ShimError,
    `reached timeout while retrying dial on ${name}: Cannot connect to pipe "${name}": ERROR_FILE_NOT_FOUND`,
  ).finally(() => isOver = true);
  await bench.clock.advance(999);
  assertEquals(isOver, false);
  await bench.clock.advance(1);
  const error = await writing;
  assertEquals(error.code, "Unavailable");
  assertStrictEquals(error.cause, absent);
  assertEquals(bench.dials, [0, 200, 500, 950, 1_000]);
  await output.close();
  assertEquals(bench.clock.sleepers, 0);
});

Deno.test("a reader that comes back at the last moment is taken", async () => {
  const bench = new Bench();
  const next = new Reader();
  bench.answers.push(absent, absent, next.stream);
  const output = bench.output(500);
  bench.first.failure = win32Error(109, "Cannot write");
  const writing = output.write(bytes);
  await bench.clock.advance(500);
  await writing;
  assertEquals(next.text, "portion");
  await output.close();
});

Deno.test("pains:23 a reader that is lost again is dialled again, with pauses from the start", async () => {
  const bench = new Bench();
  const second = new Reader();
  const third = new Reader();
  second.failure = win32Error(232, "Cannot write");
  bench.answers.push(absent, second.stream, absent, third.stream);
  const output = bench.output(0);
  bench.first.failure = win32Error(232, "Cannot write");
  const writing = output.write(bytes);
  await bench.clock.advance(1000);
  await writing;
  assertEquals(bench.dials, [0, 200, 200, 400]);
  assertEquals([second.closes, third.text], [1, "portion"]);
  await output.close();
});

Deno.test("other failures are final", async () => {
  const bench = new Bench();
  const output = bench.output(0);
  for (
    const failure of [
      win32Error(5, "Cannot write"),
      new ShimError("Internal", "a fault"),
    ]
  ) {
    bench.first.failure = failure;
    const error = await assertRejects(() => output.write(bytes), ShimError);
    assertStrictEquals(error, failure);
  }
  assertEquals(bench.dials, []);
  await output.close();
});

Deno.test("close() ends the wait for a reader", async () => {
  const bench = new Bench();
  bench.answers.push(absent);
  const output = bench.output(0);
  bench.first.failure = win32Error(109, "Cannot write");
  const writing = assertRejects(
    () => output.write(bytes),
    ShimError,
    `Cannot write: the pipe "${name}" is closed`,
  );
  await bench.clock.advance(300);
  await output.close();
  assertEquals((await writing).code, "Unavailable");
  assertEquals(bench.clock.sleepers, 0);
  assertEquals(bench.first.closes, 2);
});

Deno.test("close() while a dial is under way aborts it, and a late reader is closed", async () => {
  const bench = new Bench();
  const late = new Reader();
  const dialled = Promise.withResolvers<Duplex>();
  bench.answers.push(dialled.promise);
  const output = bench.output(0);
  bench.first.failure = win32Error(109, "Cannot write");
  const writing = assertRejects(() => output.write(bytes), ShimError, "closed");
  await bench.clock.advance(0);
  await output.close();
  assert(bench.signal?.aborted);
  dialled.resolve(late.stream);
  await writing;
  assertEquals([late.closes, late.text], [1, ""]);
});

Deno.test("close() while a write is under way rejects it, whatever it fails with", async () => {
  const bench = new Bench();
  const gate = Promise.withResolvers<void>();
  bench.first.gate = gate.promise;
  bench.first.failure = win32Error(232, "Cannot write");
  const output = bench.output(0);
  const writing = assertRejects(() => output.write(bytes), ShimError, "closed");
  await output.close();
  gate.resolve();
  await writing;
  assertEquals(bench.dials, []);
});

Deno.test("a write after a close is refused and dials nobody", async () => {
  const bench = new Bench();
  const output = bench.output(0);
  await output.close();
  await output.close();
  bench.first.failure = win32Error(232, "Cannot write");
  await assertRejects(() => output.write(bytes), ShimError, "closed");
  assertEquals(bench.dials, []);
});

Deno.test("closeWrite() and read() are the connection's", async () => {
  const [end, reader] = memoryPair();
  const bench = new Bench();
  const output = new ReconnectingOutput(end, {
    name,
    limit: 0,
    clock: bench.clock,
    log: jsonLogger(() => {}),
    dial: () => Promise.reject(new HResultError(0x80070002, "no")),
  });
  const reading = output.read(new Uint8Array(1));
  await output.closeWrite();
  assertEquals(await reader.read(new Uint8Array(1)), null);
  await reader.close();
  assertEquals(await reading, null);
  await output.close();
});
