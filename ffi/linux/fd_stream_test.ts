import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { fdDuplex, terminalDuplex } from "./fd_stream.ts";
import { close, pipe } from "./files.ts";
import { libc } from "./libc.ts";
import { reap } from "./process.ts";
import { openTerminal } from "./pty.ts";
import { spawn } from "./spawn.ts";

Deno.test.beforeAll(() => void libc());

async function readAll(stream: Duplex): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(50_000);
  for (let n; (n = await stream.read(buffer)) !== null;) {
    parts.push(buffer.slice(0, n));
  }
  return await new Response(new Blob(parts as BlobPart[])).bytes();
}

Deno.test("fdDuplex() carries a pipe whole, with back-pressure, to its end", async () => {
  const ends = pipe();
  const reader = fdDuplex(ends.read, "pipe");
  const writer = fdDuplex(ends.write, "pipe");
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const all = new Uint8Array(8 * sent.length);
  for (let i = 0; i < 8; i++) all.set(sent, i * sent.length);
  let accepted = false;
  const written = writer.write(all).then(() => accepted = true);
  const buffer = new Uint8Array(1);
  assertEquals(await reader.read(buffer), 1);
  assert(!accepted, "a pipe does not take 480 kB without a reader");
  const rest = readAll(reader);
  await written;
  await writer.closeWrite();
  assertEquals(await rest, all.subarray(1));
  assertEquals(buffer[0], all[0]);
  await writer.close();
  await reader.close();
});

Deno.test("fdDuplex() rejects writes to a pipe that nobody reads", async () => {
  const ends = pipe();
  close(ends.read);
  const writer = fdDuplex(ends.write, "pipe");
  await assertRejects(
    () => writer.write(new Uint8Array(1)),
    ShimError,
    "closed",
  );
  await writer.close();
});

Deno.test("fdDuplex() closes one direction of a pipe's end from the start", async () => {
  const ends = pipe();
  const reader = fdDuplex(ends.read, "pipe");
  const writer = fdDuplex(ends.write, "pipe");
  await assertRejects(() => reader.write(new Uint8Array(1)), ShimError);
  assertEquals(await writer.read(new Uint8Array(1)), null);
  await writer.close();
  await reader.close();
});

Deno.test("fdDuplex() refuses a descriptor that is not open", () => {
  const ends = pipe();
  close(ends.read);
  close(ends.write);
  let message = "";
  try {
    fdDuplex(ends.read, "pipe");
  } catch (error) {
    message = String(error);
  }
  assert(message.includes("EBADF"), message);
});

Deno.test("terminalDuplex() carries 200 kB each way, resizes, and ends with its last process", async () => {
  const { master, path } = openTerminal();
  const terminal = terminalDuplex(master);
  assert(terminal.resize(101, 33));
  const script = "stty raw -echo; stty size; head -c 200000 | wc -c; " +
    "head -c 200000 /dev/zero";
  const pid = spawn({
    path: "/bin/sh",
    argv: ["sh", "-c", script],
    env: ["PATH=/usr/bin:/bin"],
    stdio: { terminal: path },
  });
  const buffer = new Uint8Array(64);
  let head = "";
  while (!head.includes("\n")) {
    const n = await terminal.read(buffer);
    head += new TextDecoder().decode(buffer.subarray(0, n ?? 0));
  }
  assertEquals(head, "33 101\n");
  const rest = readAll(terminal);
  await terminal.write(new Uint8Array(200_000));
  const output = await rest;
  assertEquals(new TextDecoder().decode(output.subarray(0, 7)), "200000\n");
  assertEquals(output.length, 200_007);
  await terminal.close();
  assert(!terminal.resize(1, 1));
  await assertRejects(() => terminal.write(new Uint8Array(1)), ShimError);
  assertEquals(reap(pid), { pid, code: 0 });
});
