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
  sink("first\n");
  for (let line = 0; line < 2000; line++) sink("x".repeat(99) + "\n");
  const buffer = new Uint8Array(1 << 20);
  const read = readSync(reader, buffer, 0, buffer.length, null);
  const text = new TextDecoder().decode(buffer.subarray(0, read));
  assert(text.startsWith("first\n"));
  assert(text.length < 200_000 && text.endsWith("\n"));
  sink("last\n");
  assertEquals(readSync(reader, buffer, 0, buffer.length, null), 5);
  closeSync(reader);
  await Deno.remove(bundle, { recursive: true });
});

Deno.test("openLogSink() drops lines when there is no FIFO", () => {
  openLogSink("/no/such/bundle")("line\n");
});
