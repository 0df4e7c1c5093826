import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { connectTo, listenAt, removeStale, socketPath } from "./endpoint.ts";
import { endpointAddress, stateFolders, vmFolder } from "./state.ts";

async function withAddress(
  task: (address: string, path: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "lcow-s-" });
  const address = await endpointAddress(stateFolders(dir), "default", "web");
  try {
    await task(address, socketPath(address));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Leaves a socket file behind whose server is gone, as a killed process does. */
async function leaveStale(path: string): Promise<void> {
  const script =
    `Deno.listen({ transport: "unix", path: Deno.args[0] }); Deno.kill(Deno.pid, "SIGKILL")`;
  await new Deno.Command(Deno.execPath(), {
    args: ["eval", "-q", script, path],
    stdout: "null",
    stderr: "null",
  }).output();
}

Deno.test("endpointAddress() is short and depends on namespace and key", async () => {
  const state = stateFolders("/run/lcow");
  assertMatch(
    await endpointAddress(state, "default", "web"),
    /^unix:\/\/\/run\/lcow\/s\/[0-9a-f]{16}\.sock$/,
  );
  assertEquals(
    await endpointAddress(state, "default", "web") ===
      await endpointAddress(state, "k8s.io", "web"),
    false,
  );
});

Deno.test("vmFolder() has eight hexadecimal digits of the system id", async () => {
  assertMatch(
    await vmFolder(stateFolders(undefined), "pod1@vm"),
    /^\/run\/lcow\/vm\/[0-9a-f]{8}$/,
  );
});

Deno.test("stateFolders() refuses a folder whose sockets would not fit", () => {
  const error = assertThrows(
    () => stateFolders("/" + "x".repeat(40)),
    ShimError,
    "41 characters",
  );
  assertEquals((error as ShimError).code, "InvalidArgument");
  assertThrows(() => stateFolders("lcow"), ShimError, "not an absolute path");
  assertThrows(() => stateFolders("/a,b"), ShimError, "mount options");
  assertEquals(stateFolders("/" + "x".repeat(39)).root.length, 40);
  assertEquals(stateFolders("").root, "/run/lcow");
});

Deno.test("listenAt() lets only this user connect", async () => {
  await withAddress(async (address, path) => {
    const listener = await listenAt(address);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    const [served, dialed] = await Promise.all([
      listener.accept(),
      connectTo(address),
    ]);
    await dialed.write(new Uint8Array([7]));
    const buffer = new Uint8Array(4);
    assertEquals(await served.read(buffer), 1);
    await Promise.all([served.close(), dialed.close(), listener.close()]);
  });
});

Deno.test("listenAt() refuses an address that is served", async () => {
  await withAddress(async (address) => {
    const listener = await listenAt(address);
    const error = await assertRejects(
      () => listenAt(address),
      ShimError,
      "served already",
    ) as ShimError;
    assertEquals(error.code, "AlreadyExists");
    await listener.close();
  });
});

Deno.test("listenAt() lets exactly one of many win the race for a stale socket", async () => {
  await withAddress(async (address, path) => {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")));
    await leaveStale(path);
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => listenAt(address)),
    );
    const won = results.filter(({ status }) => status === "fulfilled");
    assertEquals(won.length, 1);
    for (const result of results) {
      if (result.status === "fulfilled") await result.value.close();
    }
  });
});

Deno.test("removeStale() removes the socket of a dead server only", async () => {
  await withAddress(async (address, path) => {
    assertEquals(await removeStale(address), true);
    const listener = await listenAt(address);
    assertEquals(await removeStale(address), false);
    await listener.close();
    await leaveStale(path);
    assertEquals(await removeStale(address), true);
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });
});

Deno.test("connectTo() says Unavailable when nobody serves the address", async () => {
  await withAddress(async (address) => {
    const error = await assertRejects(
      () => connectTo(address),
      ShimError,
      address,
    ) as ShimError;
    assertEquals(error.code, "Unavailable");
  });
});

Deno.test("socketPath() takes containerd's plain paths", () => {
  assertEquals(socketPath("/run/c.sock.ttrpc"), "/run/c.sock.ttrpc");
  assertEquals(socketPath("unix:///run/c.sock"), "/run/c.sock");
  assertThrows(() => socketPath("tcp://1.2.3.4"), ShimError, "no address");
});
