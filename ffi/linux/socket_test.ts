import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ErrnoError } from "./errno.ts";
import { fdDuplex } from "./fd_stream.ts";
import { close } from "./files.ts";
import { libc } from "./libc.ts";
import {
  connectSocket,
  setSocketBuffers,
  shutdownSocket,
  unixAddress,
  vsockAddress,
} from "./socket.ts";

Deno.test.beforeAll(() => void libc());

const never = (): Promise<never> => Promise.reject(new Error("too long"));

Deno.test("connectSocket() answers a descriptor that reaches the listener", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  try {
    const listener = Deno.listen({ transport: "unix", path });
    const fd = await connectSocket({ path }, never);
    setSocketBuffers(fd, 65536);
    using conn = await listener.accept();
    const stream = fdDuplex(fd, "socket");
    await conn.write(new TextEncoder().encode("9p"));
    const buffer = new Uint8Array(8);
    assertEquals(await stream.read(buffer), 2);
    await stream.close();
    const other = await connectSocket({ path }, never);
    using ended = await listener.accept();
    shutdownSocket(other);
    assertEquals(await ended.read(buffer), null);
    close(other);
    listener.close();
    await Deno.writeTextFile(path, ""); // nobody listens there
    const refused = await assertRejects(
      () => connectSocket({ path }, never),
      ErrnoError,
    );
    assertEquals(refused.errno, "ECONNREFUSED");
    const missing = await assertRejects(
      () => connectSocket({ path: `${folder}/none` }, never),
      ErrnoError,
    );
    assertEquals(missing.errno, "ENOENT");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("addresses have the layout of sys/socket.h and linux/vm_sockets.h", () => {
  const vsock = "2800 0000 34020000 02000000 00000000"; // family 40, port 564
  assertEquals(vsockAddress(2, 564).toHex(), vsock.replaceAll(" ", ""));
  const unix = unixAddress("/s", "Cannot");
  assertEquals(unix.subarray(0, 5).toHex(), "01002f7300");
  assertThrows(
    () => unixAddress("x".repeat(108), "Cannot connect"),
    ErrnoError,
    "ENAMETOOLONG",
  );
});

Deno.test("setSocketBuffers() refuses what is no socket", () => {
  assertThrows(() => setSocketBuffers(-1, 65536), ErrnoError, "EBADF");
});
