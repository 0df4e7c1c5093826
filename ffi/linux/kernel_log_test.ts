import { assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "./errno.ts";
import { mkfifo } from "./files.ts";
import { openKernelLog } from "./kernel_log.ts";
import { libc } from "./libc.ts";

Deno.test.beforeAll(() => void libc());

/** A FIFO in the place of the device, with its writing end open. */
async function withFifo(
  test: (path: string, writer: Deno.FsFile) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/kmsg`;
    mkfifo(path);
    using writer = await Deno.open(path, { read: true, write: true });
    await test(path, writer);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("openKernelLog() waits for a record", () =>
  withFifo(async (path, writer) => {
    const log = openKernelLog(path);
    const next = log.next();
    await writer.write(new TextEncoder().encode("6,1,2,-;hello\n"));
    assertEquals(await next, "6,1,2,-;hello\n");
    log.close();
  }));

Deno.test("openKernelLog() ends a wait when it is closed", () =>
  withFifo(async (path) => {
    const log = openKernelLog(path);
    const next = log.next();
    log.close();
    log.close();
    assertEquals(await next, null);
    assertEquals(await log.next(), null);
  }));

Deno.test("openKernelLog() fails where there is no log", async () => {
  await assertRejects(
    () => Promise.try(() => openKernelLog("/no/such/kmsg")),
    ErrnoError,
    "ENOENT",
  );
});
