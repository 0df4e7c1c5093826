import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Duplex, memoryPair } from "../../base/duplex.ts";
import { silentLogger as log } from "../../base/log.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { openLogFile, OutputLog, TeeOutput } from "./tee_output.ts";

Deno.test.beforeAll(() => void libc());

async function withFolder(
  test: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function read(stream: Duplex): Promise<string | undefined> {
  const buffer = new Uint8Array(64);
  const n = await stream.read(buffer);
  if (n === null) return undefined;
  return new TextDecoder().decode(buffer.subarray(0, n));
}

Deno.test("output goes to the host first, then to the file, which it is appended to", () =>
  withFolder(async (folder) => {
    const path = `${folder}/log`;
    await Deno.writeTextFile(path, "before ");
    const kept = new OutputLog(await openLogFile(path), log);
    const [mine, host] = memoryPair();
    const taken = Promise.withResolvers<void>();
    const slow: Duplex = {
      read: (buffer) => mine.read(buffer),
      close: () => mine.close(),
      write: (portion) => taken.promise.then(() => mine.write(portion)),
      closeWrite: () => mine.closeWrite(),
    };
    const tee = new TeeOutput(slow, kept, log);
    const writing = tee.write(bytes("one "));
    assertEquals(await Deno.readTextFile(path), "before ");
    taken.resolve();
    assertEquals(await read(host), "one ");
    await writing;
    assertEquals(await Deno.readTextFile(path), "before one ");
    await tee.closeWrite();
    assertEquals(await read(host), undefined);
    await tee.close();
    await host.close();
    await kept.close();
  }));

Deno.test("a log gets what no host, or a lost one, does not", () =>
  withFolder(async (folder) => {
    const path = `${folder}/log`;
    const kept = new OutputLog(await openLogFile(path), log);
    const [mine, host] = memoryPair();
    await host.close();
    const lost = new TeeOutput(mine, kept, log);
    const none = new TeeOutput(undefined, kept, log);
    await lost.write(bytes("a"));
    await lost.write(bytes("b"));
    await none.write(bytes("c"));
    assertEquals(await read(none), undefined);
    await none.closeWrite();
    await none.close();
    await lost.close();
    await kept.close();
    assertEquals(await Deno.readTextFile(path), "abc");
  }));

Deno.test("portions of two streams stand whole in the log", () =>
  withFolder(async (folder) => {
    const path = `${folder}/log`;
    const kept = new OutputLog(await openLogFile(path), log);
    const streams = [0, 1].map(() => new TeeOutput(undefined, kept, log));
    const size = 100_000;
    await Promise.all(
      [..."abcdef"].map((letter, i) =>
        streams[i % 2]!.write(bytes(letter.repeat(size)))
      ),
    );
    await kept.close();
    assert(/^(?:([a-f])\1{99999}){6}$/.test(await Deno.readTextFile(path)));
  }));

Deno.test("a log that cannot be written does not harm the output", async () => {
  const full = await Deno.open("/dev/full", { write: true });
  const kept = new OutputLog(full, log);
  const [mine, host] = memoryPair();
  const tee = new TeeOutput(mine, kept, log);
  for (const text of ["one", "two"]) {
    const writing = tee.write(bytes(text));
    assertEquals(await read(host), text);
    await writing;
  }
  await tee.close();
  await host.close();
  await kept.close();
});

Deno.test("links, FIFOs, devices and folders in place of a log are refused", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/out`);
    await Deno.writeTextFile(`${folder}/out/file`, "kept");
    await Deno.symlink("out", `${folder}/dir-link`);
    await Deno.symlink("out/file", `${folder}/link`);
    await Deno.symlink("/dev/null", `${folder}/device`);
    await new Deno.Command("mkfifo", { args: [`${folder}/fifo`] }).output();
    for (const name of ["link", "dir-link/file", "device", "fifo", "out"]) {
      await assertRejects(() => openLogFile(`${folder}/${name}`), Error, name);
    }
    assertEquals(await Deno.readTextFile(`${folder}/out/file`), "kept");
    await assertRejects(() => openLogFile(`${folder}/no/log`), Error, "ENOENT");
  }));
