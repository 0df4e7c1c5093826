import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { silentLogger as log } from "../../base/log.ts";
import { ErrnoError } from "../../ffi/linux/errno.ts";
import { Plan9Mounts, type Plan9Ports } from "./plan9.ts";

/** A VM whose calls are recorded; single ports may be replaced. */
function fake(overrides: Partial<Plan9Ports> = {}): {
  calls: string[];
  clock: FakeClock;
  mounts: Plan9Mounts;
} {
  const calls: string[] = [];
  const note = (text: string): void => void calls.push(text);
  const ports: Plan9Ports = {
    dial: (port) => Promise.resolve(calls.push(`dial ${port}`) + 5),
    setBuffers: (fd, size) => note(`buffers ${fd} ${size}`),
    shutdown: (fd) => note(`shutdown ${fd}`),
    detach: async (target) => await note(`detach ${target}`),
    close: (fd) => note(`close ${fd}`),
    mount: async ({ source, target, type, flags, data }) =>
      await note(`mount ${source} ${target} ${type} ${flags} ${data}`),
    unmount: async (target) => await note(`unmount ${target}`),
    undoMount: async (target) => await note(`undo ${target}`),
    async makeFolder(path, mode) {
      await note(`mkdir ${path} ${mode.toString(8)}`);
      return true;
    },
    removeFolder: async (path) => await note(`rmdir ${path}`),
    ...overrides,
  };
  const clock = new FakeClock();
  const options = { ports, clock, timeout: 1000, log };
  return { calls, clock, mounts: new Plan9Mounts(options) };
}

const MountPath = "/no/such/share";
const share = { MountPath, Port: 564, ShareName: "3" };
const made = [`mkdir ${MountPath} 700`, "dial 564", "buffers 7 65536"];
const options = "trans=fd,rfdno=7,wfdno=7,msize=65536";

Deno.test("a share is mounted over its socket, which the mount then owns", async () => {
  const { calls, mounts } = fake();
  await mounts.add(share);
  assertEquals(calls, [
    ...made,
    `mount ${MountPath} ${MountPath} 9p 0 ${options},aname=3`,
    "close 7",
  ]);
  calls.length = 0;
  await mounts.remove(share);
  assertEquals(calls, [`unmount ${MountPath}`, `rmdir ${MountPath}`]);
});

Deno.test("a read-only share says so before its name", async () => {
  const { calls, mounts } = fake();
  await mounts.add({ ...share, ReadOnly: true });
  const data = `${options},noload,aname=3`;
  assertEquals(calls[3], `mount ${MountPath} ${MountPath} 9p 1 ${data}`);
});

Deno.test("a share without a name has no such option", async () => {
  const { calls, mounts } = fake();
  await mounts.add({ MountPath, Port: 564 });
  assertEquals(calls[3], `mount ${MountPath} ${MountPath} 9p 0 ${options}`);
});

Deno.test("a server that does not answer is told with its share and its port", async () => {
  const { calls, mounts } = fake({
    dial: () => Promise.reject(new ErrnoError(111, "Cannot connect")),
  });
  const error = await assertRejects(
    () => mounts.add(share),
    ShimError,
    `"${MountPath}" at port 564`,
  );
  assertEquals(error.code, "Unavailable");
  assertEquals(calls.slice(1), [`rmdir ${MountPath}`]);
});

Deno.test("a share whose server is gone is unmounted, one in use is not", async () => {
  const gone = fake({
    unmount: () => Promise.reject(new ErrnoError(5, "stat")),
  });
  await gone.mounts.remove(share);
  assertEquals(gone.calls, [`detach ${MountPath}`, `rmdir ${MountPath}`]);
  const busy = new ErrnoError(16, "Cannot unmount");
  const used = fake({ unmount: () => Promise.reject(busy) });
  assertEquals(await assertRejects(() => used.mounts.remove(share)), busy);
  assertEquals(used.calls, []);
});

Deno.test("a share that cannot be mounted leaves neither socket nor folder", async () => {
  const failure = new Error("no such device");
  const { calls, mounts } = fake({ mount: () => Promise.reject(failure) });
  assertEquals(await assertRejects(() => mounts.add(share)), failure);
  const undone = ["shutdown 7", "close 7", `rmdir ${MountPath}`];
  assertEquals(calls, [...made, ...undone]);
});

Deno.test("a server that is silent loses its connection, at the bound or with the agent", async () => {
  for (const quits of [false, true]) {
    for (const mountedAtLast of [false, true]) {
      const mounting = Promise.withResolvers<void>();
      const calls: string[] = [];
      const { clock, mounts } = fake({
        mount: () => mounting.promise,
        shutdown() {
          calls.push("shutdown");
          if (mountedAtLast) mounting.resolve();
          else mounting.reject(new Error("connection reset"));
        },
        detach: (target) => Promise.resolve(calls.push(`detach ${target}`)),
        close: () => void calls.push("close"),
      });
      const quit = new AbortController();
      const added = assertRejects(
        () => mounts.add(share, quit.signal),
        Error,
        quits ? "the VM ends" : "took longer than 1000 ms",
      );
      while (clock.sleepers === 0) await clock.advance(0);
      if (quits) quit.abort(new Error("the VM ends"));
      else await clock.advance(1000);
      await added;
      const detached = mountedAtLast ? [`detach ${MountPath}`] : [];
      assertEquals(calls, ["shutdown", ...detached, "close"]);
    }
  }
});

Deno.test("settings of a share that are not right change nothing", async () => {
  const { calls, mounts } = fake();
  const bad = [
    { ...share, Port: 0 },
    { ...share, Port: -1 },
    { ...share, ShareName: "a,trans=tcp" },
    { ...share, ShareName: "a\0b" },
    { ...share, MountPath: "" },
    { ...share, MountPath: "/a/../../b" },
  ];
  for (const settings of bad) {
    const error = await assertRejects(() => mounts.add(settings), ShimError);
    assertEquals(error.code, "InvalidArgument");
  }
  assertEquals(calls, []);
});
