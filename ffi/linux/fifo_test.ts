import { assertEquals, assertRejects } from "@std/assert";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { openFifo } from "./fifo.ts";
import { mkfifo } from "./files.ts";
import { libc } from "./libc.ts";

Deno.test.beforeAll(() => void libc());

async function withFifo(
  test: (path: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    mkfifo(`${dir}/fifo`);
    await test(`${dir}/fifo`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Runs a command in another process, as containerd's side. */
async function shell(script: string, path: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", path],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

async function readAll(stream: Duplex): Promise<number> {
  const buffer = new Uint8Array(10_000);
  let bytes = 0;
  for (let n; (n = await stream.read(buffer)) !== null;) bytes += n;
  return bytes;
}

Deno.test("openFifo() gives a stdin that outlives its writers until closeWrite()", () =>
  withFifo(async (path) => {
    const stdin = await openFifo(path, "stdin");
    const total = readAll(stdin);
    await shell('head -c 300000 /dev/zero > "$1"', path);
    await shell('echo hi > "$1"', path);
    await stdin.closeWrite();
    await stdin.closeWrite();
    assertEquals(await total, 300_003);
    await stdin.close();
    await stdin.close();
  }));

Deno.test("openFifo() gives a stdin whose close ends a pending read", () =>
  withFifo(async (path) => {
    const stdin = await openFifo(path, "stdin");
    const pending = stdin.read(new Uint8Array(8));
    await stdin.close();
    assertEquals(await pending, null);
    assertEquals(await stdin.read(new Uint8Array(8)), null);
  }));

Deno.test("openFifo() gives a stdin that ends with a writer that came and went before the first read", () =>
  withFifo(async (path) => {
    const stdin = await openFifo(path, "stdin");
    await shell('echo early > "$1"', path);
    assertEquals(await readAll(stdin), 6);
    await stdin.close();
  }));

Deno.test("openFifo() gives a stdin that can be closed unread", () =>
  withFifo(async (path) => {
    const stdin = await openFifo(path, "stdin");
    await stdin.closeWrite();
    await stdin.close();
    await stdin.close();
    assertEquals(await stdin.read(new Uint8Array(8)), null);
  }));

Deno.test("openFifo() keeps the bytes of a writer that came and went before the first read", () =>
  withFifo(async (path) => {
    const stdin = await openFifo(path, "stdin");
    await shell('echo early > "$1"', path);
    await stdin.closeWrite();
    assertEquals(await readAll(stdin), 6);
    await stdin.close();
  }));

Deno.test("openFifo() gives a stdout that opens without a reader and loses nothing", () =>
  withFifo(async (path) => {
    const stdout = await openFifo(path, "stdout");
    const written = stdout.write(new Uint8Array(2_000_000))
      .then(() => stdout.closeWrite());
    assertEquals(await shell('wc -c < "$1"', path), "2000000");
    await written;
    await stdout.close();
  }));

Deno.test("openFifo() gives a stdout that survives the going of its reader", () =>
  withFifo(async (path) => {
    const stdout = await openFifo(path, "stdout");
    const first = shell('head -c 3 "$1"', path);
    await stdout.write(new TextEncoder().encode("one"));
    assertEquals(await first, "one");
    await stdout.write(new TextEncoder().encode("two"));
    const second = shell('head -c 3 "$1"', path);
    assertEquals(await second, "two");
    await stdout.close();
  }));

Deno.test("openFifo() gives a stdout whose close rejects a write that waits", () =>
  withFifo(async (path) => {
    const stdout = await openFifo(path, "stdout");
    const waiting = stdout.write(new Uint8Array(1_000_000));
    const refused = assertRejects(() => waiting, ShimError, "closed");
    await stdout.close();
    await refused;
  }));

Deno.test("openFifo() refuses what is no FIFO, and what is missing", async () => {
  await assertRejects(() => openFifo("/dev/null", "stdin"), ShimError, "FIFO");
  await assertRejects(
    () => openFifo("/no/such/fifo", "stdout"),
    Deno.errors.NotFound,
  );
});
