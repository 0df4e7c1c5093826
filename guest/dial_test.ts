import { assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../ffi/linux/errno.ts";
import { close } from "../ffi/linux/files.ts";
import { libc } from "../ffi/linux/libc.ts";
import { descriptorDialer } from "./dial.ts";

Deno.test.beforeAll(() => void libc());

Deno.test("descriptorDialer() reaches a port where VMs are simulated, and tells a refusal", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const dial = descriptorDialer(folder);
    const path = `${folder}/564`;
    using listener = Deno.listen({ transport: "unix", path });
    const fd = await dial(564);
    using conn = await listener.accept();
    close(fd);
    assertEquals(await conn.read(new Uint8Array(1)), null);
    const error = await assertRejects(() => dial(565), ErrnoError, "565");
    assertEquals(error.errno, "ENOENT");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
