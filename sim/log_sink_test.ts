import { assert, assertEquals } from "@std/assert";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { openLogSink } from "./log_sink.ts";

Deno.test("openLogSink() writes into the FIFO and drops lines when it is full", async () => {
  const bundle = await Deno.makeTempDir({ prefix: "lcow-log-" });
  const { success } = await new Deno.Command("mkfifo", {
    args: [`${bundle}/log`],
  }).output();
  assert(success);
  const reader = openSync(
    `${bundle}/log`,
    constants.O_RDONLY | constants.O_NONBLOCK,
  );
  const sink = openLogSink(bundle);
  assertEquals(sink("first\n"), true);
  let dropped = 0;
  for (let line = 0; line < 2000; line++) {
    if (sink("x".repeat(99) + "\n") === false) dropped++;
  }
  const buffer = new Uint8Array(1 << 20);
  const read = readSync(reader, buffer, 0, buffer.length, null);
  const text = new TextDecoder().decode(buffer.subarray(0, read));
  assert(text.startsWith("first\n"));
  assert(text.length < 200_000 && text.endsWith("\n"));
  assertEquals(text.split("\n").length, 1 + 2000 - dropped + 1);
  sink("last\n");
  assertEquals(readSync(reader, buffer, 0, buffer.length, null), 5);
  closeSync(reader);
  await Deno.remove(bundle, { recursive: true });
});

Deno.test("openLogSink() drops lines when there is no FIFO", () => {
  assertEquals(openLogSink("/no/such/bundle")("line\n"), false);
});
