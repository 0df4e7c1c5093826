import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { type Duplex, listenerDuplex } from "../base/duplex.ts";
import { ErrnoError } from "../ffi/linux/errno.ts";
import { close } from "../ffi/linux/files.ts";
import { libc } from "../ffi/linux/libc.ts";
import { descriptorDialer, dialer } from "./dial.ts";

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

async function readText(stream: Duplex): Promise<string> {
  const buffer = new Uint8Array(64);
  let text = "";
  for (let n; (n = await stream.read(buffer)) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

/** Sends back what comes, to its end. */
async function echo(stream: Duplex): Promise<void> {
  const buffer = new Uint8Array(64);
  for (let n; (n = await stream.read(buffer)) !== null;) {
    await stream.write(buffer.subarray(0, n));
  }
  await stream.closeWrite();
}

Deno.test(
  "guest:P17 where VMs are simulated, ports are sockets that carry data both ways and end each way by itself",
  { timeout: 60_000 },
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const dial = dialer(folder, new FakeClock());
      const ports = [0x4000_0000, 0x4000_0001];
      const pairs = await Promise.all(ports.map(async (port) => {
        const path = `${folder}/${port}`;
        const listener = listenerDuplex(
          Deno.listen({ transport: "unix", path }),
        );
        const [host, guest] = await Promise.all([
          listener.accept(),
          dial(port),
        ]);
        await listener.close();
        return { port, host, guest };
      }));
      await Promise.all(pairs.map(async ({ port, host, guest }) => {
        const echoed = echo(host);
        await guest.write(new TextEncoder().encode(`port ${port}`));
        // The other direction stays open: the answer comes after the end.
        await guest.closeWrite();
        assertEquals(await readText(guest), `port ${port}`);
        await echoed;
        await guest.close();
        await host.close();
      }));
      await assertRejects(() => dial(1), Deno.errors.NotFound);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
