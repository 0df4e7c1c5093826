import { assertEquals, assertStringIncludes } from "@std/assert";
import { messageOf } from "../base/errors.ts";
import { FrameWriter } from "./writer.ts";

const bounds = { unsentFrames: 4, unsentBytes: 100 };

/** A stream whose writes the test completes. */
class HeldStream {
  readonly written: Uint8Array[] = [];
  #pending: PromiseWithResolvers<void> | undefined;

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes);
    this.#pending = Promise.withResolvers();
    return this.#pending.promise;
  }

  async accept(): Promise<void> {
    this.#pending?.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  fail(error: Error): void {
    this.#pending?.reject(error);
  }
}

function never(error: unknown): void {
  throw error;
}

Deno.test("push() writes each frame with one write, in order, without waiting", async () => {
  const stream = new HeldStream();
  const writer = new FrameWriter(stream, never, bounds);
  const sent: number[] = [];
  for (const n of [1, 2, 3]) {
    writer.push(Uint8Array.of(n, n), (error) => {
      assertEquals(error, undefined);
      sent.push(n);
    });
  }
  assertEquals([writer.unsent, stream.written.length], [3, 1]);
  let idle = false;
  writer.idle().then(() => idle = true);
  for (const n of [1, 2, 3]) {
    assertEquals(idle, false);
    await stream.accept();
    assertEquals(sent.length, n);
  }
  assertEquals(stream.written, [
    Uint8Array.of(1, 1),
    Uint8Array.of(2, 2),
    Uint8Array.of(3, 3),
  ]);
  assertEquals([writer.unsent, idle, sent], [0, true, [1, 2, 3]]);
});

Deno.test("push() drops a peer that does not read more than the bounds allow", async () => {
  for (const [size, count] of [[1, 5], [60, 2]] as const) {
    const stream = new HeldStream();
    const failures: string[] = [];
    const writer = new FrameWriter(
      stream,
      (error) => failures.push(messageOf(error)),
      bounds,
    );
    let dropped = 0;
    for (let n = 0; n < count; n++) {
      writer.push(new Uint8Array(size), (error) => {
        if (error !== undefined) dropped++;
      });
    }
    assertEquals(failures.length, 1);
    assertStringIncludes(failures[0]!, `Peer does not read: ${count} frames`);
    assertEquals(dropped, count - 1); // the first one is being written
    stream.fail(new Error("closed"));
    await writer.idle();
    assertEquals([dropped, failures.length], [count, 1]);
  }
});

Deno.test("a failed write fails the frames that wait and those that come later", async () => {
  const stream = new HeldStream();
  const failures: string[] = [];
  const writer = new FrameWriter(
    stream,
    (error) => failures.push(messageOf(error)),
    bounds,
  );
  const fates: string[] = [];
  const push = () =>
    writer.push(new Uint8Array(1), (error) => fates.push(messageOf(error)));
  push();
  push();
  stream.fail(new Error("broken"));
  await writer.idle();
  push();
  assertEquals(fates, ["broken", "broken", "broken"]);
  assertEquals([failures, stream.written.length], [["broken"], 1]);
});

Deno.test("stop() keeps the rest of a batch from being written", async () => {
  const stream = new HeldStream();
  const writer = new FrameWriter(stream, never, bounds);
  const fates: string[] = [];
  const push = (n: number) =>
    writer.push(Uint8Array.of(n), (error) => {
      fates.push(`${n}: ${error === undefined ? "sent" : messageOf(error)}`);
    });
  push(1);
  push(2);
  push(3);
  await stream.accept(); // 2 and 3 are one batch
  writer.stop(new Error("stopped"));
  await stream.accept();
  assertEquals(stream.written, [Uint8Array.of(1), Uint8Array.of(2)]);
  assertEquals(fates, ["1: sent", "2: sent", "3: stopped"]);
  assertEquals(writer.unsent, 0);
});
