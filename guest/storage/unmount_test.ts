import { assertEquals, assertRejects } from "@std/assert";
import { silentLogger as log } from "../../base/log.ts";
import { unmountAll, type UnmountPorts } from "./unmount.ts";

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

Deno.test("guest:L4 unmountAll() ends when mounts do not, and removes nothing then", async () => {
  const { calls, ports } = recorder({ unmount: () => Promise.resolve(true) });
  await unmountAll("/a", { log, ports, remove: true });
  assertEquals(calls, ["stat /a"]);
});
