import { assertEquals, assertRejects } from "@std/assert";
import { silentLogger as log } from "../../base/log.ts";
import { ErrnoError } from "../../ffi/linux/errno.ts";
import {
  removeMountPoint,
  sweepMounts,
  unmountAll,
  type UnmountPorts,
} from "./unmount.ts";

/** Ports that record their calls. */
function recorder(overrides: Partial<UnmountPorts> = {}): {
  calls: string[];
  ports: UnmountPorts;
} {
  const calls: string[] = [];
  let mounts = 1;
  const ports: UnmountPorts = {
    lstat: (path) => Promise.resolve(void calls.push(`stat ${path}`)),
    unmount: (path) => {
      calls.push(`unmount ${path}`);
      return Promise.resolve(mounts-- > 0);
    },
    remove: (path) => Promise.resolve(void calls.push(`remove ${path}`)),
    pause: () => Promise.resolve(void calls.push("pause")),
    ...overrides,
  };
  return { calls, ports };
}

Deno.test("guest:L1 unmountAll() takes a missing path for a success, and tells other failures", async () => {
  const missing = recorder({
    lstat: () => Promise.reject(new Deno.errors.NotFound("x")),
  });
  await unmountAll("/a", { log, ports: missing.ports, remove: true });
  assertEquals(missing.calls, []);
  const denied = recorder({
    lstat: () => Promise.reject(new Deno.errors.PermissionDenied("no")),
  });
  await assertRejects(
    () => unmountAll("/a", { log, ports: denied.ports }),
    Deno.errors.PermissionDenied,
  );
});

Deno.test("guest:L2 guest:L3 guest:L5 unmountAll() unmounts until nothing is mounted, then removes", async () => {
  const { calls, ports } = recorder();
  await unmountAll("/a", { log, ports, remove: true });
  assertEquals(calls, ["stat /a", "unmount /a", "unmount /a", "remove /a"]);
  const busy = recorder({ unmount: () => Promise.reject(new Error("busy")) });
  await assertRejects(
    () => unmountAll("/a", { log, ports: busy.ports, remove: true }),
    Error,
    "busy",
  );
  assertEquals(busy.calls, ["stat /a"]);
});

Deno.test("unmountAll() tries again what is in use for a moment, but not for ever", async () => {
  let inUse = 3;
  const moment = recorder({
    unmount: () =>
      inUse-- > 0
        ? Promise.reject(new ErrnoError(16, "in use"))
        : Promise.resolve(false),
  });
  await unmountAll("/a", { log, ports: moment.ports, remove: true });
  assertEquals(moment.calls, [
    ...["stat /a", "pause", "pause", "pause", "remove /a"],
  ]);
  const held = recorder({
    unmount: () => Promise.reject(new ErrnoError(16, "in use")),
  });
  await assertRejects(
    () => unmountAll("/a", { log, ports: held.ports, remove: true }),
    ErrnoError,
    "in use",
  );
  assertEquals(held.calls.filter((call) => call !== "pause"), ["stat /a"]);
});

Deno.test("guest:L4 unmountAll() ends when mounts do not, and removes nothing then", async () => {
  const { calls, ports } = recorder({ unmount: () => Promise.resolve(true) });
  await unmountAll("/a", { log, ports, remove: true });
  assertEquals(calls, ["stat /a"]);
});

Deno.test("guest:L6 sweepMounts() unmounts children before parents, by components, and stops at a failure", async () => {
  const lines = [
    "overlay /pod overlay rw 0 0",
    "tmpfs /pod/a tmpfs rw 0 0",
    "tmpfs /podium tmpfs rw 0 0",
    "tmpfs /pod/a/b\\040c tmpfs rw 0 0",
    "",
  ];
  const sweep = async (busy = ""): Promise<[boolean, string[]]> => {
    const calls: string[] = [];
    const clean = await sweepMounts("/pod", {
      log,
      ports: {
        mounts: () => Promise.resolve(lines.join("\n")),
        unmount: (path) => {
          if (path === busy) return Promise.reject(new Error("busy"));
          return Promise.resolve(calls.push(`unmount ${path}`) > 0);
        },
        remove: (path) => Promise.resolve(void calls.push(`remove ${path}`)),
      },
    });
    return [clean, calls];
  };
  const all = ["unmount /pod/a/b c", "unmount /pod/a", "unmount /pod"];
  assertEquals(await sweep(), [true, [...all, "remove /pod"]]);
  assertEquals(await sweep("/pod/a"), [false, all.slice(0, 1)]);
});

Deno.test("removeMountPoint() removes an empty folder and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/file`;
    await Deno.writeTextFile(file, "kept");
    for (const path of [`${folder}/none`, file, folder]) {
      await removeMountPoint(path);
    }
    assertEquals(await Deno.readTextFile(file), "kept");
    await Deno.remove(file);
    await removeMountPoint(folder);
    await assertRejects(() => Deno.lstat(folder), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
});
