import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { libc } from "../../ffi/linux/libc.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { type Bundle, type BundleOptions, readLines } from "../driver.ts";
import { limit } from "./fixture.ts";
import { create, rig } from "./sandbox_fixture.ts";

// Opened outside of the tests, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

/** As CRI sends it to every container of a pod, whatever it shares. */
const shm = {
  destination: "/dev/shm",
  type: "tmpfs",
  source: "shm",
  options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
};

/** A path of the host, where the pid is not one of the VM. */
function shared(type: string): { type: string; path: string } {
  const file = type === "network" ? "net" : type;
  return { type, path: `/proc/${Deno.pid}/ns/${file}` };
}

const kinds = ["network", "ipc", "pid", "uts"];

/** Prints its namespaces in the order of {@linkcode kinds}, then what is in /dev/shm. */
const look =
  "for kind in net ipc pid uts; do readlink /proc/self/ns/$kind; done; " +
  "ls /dev/shm; echo end";

Deno.test({
  name:
    "containers of CRI's shim sandboxer share network, IPC, PID, UTS and /dev/shm exactly when their specification says so",
  timeout: limit,
  fn: async () => {
    await using it = await rig("members");
    const { client } = it;
    await client.call(Sandbox, "CreateSandbox", {
      sandboxId: "members",
      // CRI writes no config.json there.
      bundlePath: it.dir,
    });
    await client.call(Sandbox, "StartSandbox", { sandboxId: "members" });
    const run = async (
      id: string,
      script: string,
      namespaces: BundleOptions["namespaces"],
    ): Promise<{ bundle: Bundle; lines: string[] }> => {
      const bundle = await it.member(id, script, {
        namespaces: [...namespaces ?? [], { type: "mount" }],
        moreMounts: [shm],
      });
      await create(client, bundle);
      await client.call(TaskV3, "Start", { id });
      return { bundle, lines: await readLines(bundle.output, "end") };
    };
    const sharing = kinds.map(shared);
    const first = await run("first", `touch /dev/shm/mark; ${look}`, sharing);
    const second = await run("second", look, sharing);
    const alone = await run("alone", look, []);
    const own = await run("own", look, kinds.map((type) => ({ type })));
    assertEquals(second.lines, first.lines);
    assert(first.lines.includes("mark"));
    // Nothing said: the network is the pod's, everything else the container's.
    assertEquals(alone.lines[0], first.lines[0]);
    for (const { lines } of [alone, own]) {
      for (const kind of [1, 2, 3]) {
        assertNotEquals(lines[kind], first.lines[kind]);
      }
      assertEquals(lines.includes("mark"), false);
    }
    assertNotEquals(own.lines[0], first.lines[0]);
    // A kill of all processes of a container spares those beside it.
    await client.call(TaskV3, "Kill", { id: "first", signal: 9, all: true });
    await client.call(TaskV3, "Wait", { id: "first" });
    await client.call(TaskV3, "Delete", { id: "first" });
    for (const id of ["second", "alone", "own"]) {
      const { status } = await client.call(TaskV3, "State", { id });
      assertEquals(status, 2);
    }
    // What the first left in the shared memory outlives it.
    const last = await run("last", look, sharing);
    assertEquals(last.lines, first.lines);
  },
});
