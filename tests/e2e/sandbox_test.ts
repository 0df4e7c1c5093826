import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { execSpec, readBytes } from "../driver.ts";
import { limit } from "./fixture.ts";
import { create, rig } from "./sandbox_fixture.ts";

// Opened outside of the tests, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

Deno.test({
  name: "a sandbox lives from create to shutdown and says so",
  timeout: limit,
  fn: async () => {
    const id = "sb1";
    await using it = await rig(id);
    const { client, bundle } = it;
    const early = await assertRejects(
      () => client.call(Sandbox, "StartSandbox", { sandboxId: id }),
      ShimError,
    );
    assertEquals(early.code, "FailedPrecondition");
    await client.call(Sandbox, "CreateSandbox", {
      sandboxId: id,
      bundlePath: bundle.path,
    });
    const again = await assertRejects(
      () =>
        client.call(Sandbox, "CreateSandbox", {
          sandboxId: id,
          bundlePath: bundle.path,
        }),
      ShimError,
    );
    assertEquals(again.code, "AlreadyExists");
    const { createdAt } = await client.call(Sandbox, "StartSandbox", {
      sandboxId: id,
    });
    assert((createdAt?.seconds ?? 0n) > 0n);
    const ready = await client.call(Sandbox, "SandboxStatus", {
      sandboxId: id,
    });
    assertEquals(ready.state, "SANDBOX_READY");
    assert(ready.pid > 0);
    const { platform } = await client.call(Sandbox, "Platform", {
      sandboxId: id,
    });
    assertEquals(platform?.os, "linux");
    await client.call(Sandbox, "PingSandbox", { sandboxId: id });
    const waited = client.call(Sandbox, "WaitSandbox", { sandboxId: id });
    await client.call(Sandbox, "StopSandbox", { sandboxId: id });
    assertEquals((await waited).exitStatus, 0);
    const stopped = await client.call(Sandbox, "SandboxStatus", {
      sandboxId: id,
    });
    assertEquals(stopped.state, "SANDBOX_NOTREADY");
  },
});

Deno.test({
  name:
    "containers of a sandbox give their events in order and their exit codes",
  timeout: limit,
  fn: async () => {
    const id = "sb2";
    await using it = await rig(id);
    const { client, bundle } = it;
    await client.call(Sandbox, "CreateSandbox", {
      sandboxId: id,
      bundlePath: bundle.path,
    });
    await client.call(Sandbox, "StartSandbox", { sandboxId: id });
    const web = await it.member("web");
    for (const each of [bundle, web]) {
      await create(client, each);
      const { pid } = await client.call(TaskV3, "Start", { id: each.id });
      assert(pid > 0);
      await readBytes(each.output, "ready\n".length);
    }
    const exec = { id: "web", execId: "e" };
    await client.call(TaskV3, "Exec", {
      ...exec,
      spec: execSpec(["/bin/sh", "-c", "exit 9"]),
    });
    await client.call(TaskV3, "Start", exec);
    assertEquals((await client.call(TaskV3, "Wait", exec)).exitStatus, 9);
    await client.call(TaskV3, "Delete", exec);
    for (const each of ["web", id]) {
      const waited = client.call(TaskV3, "Wait", { id: each });
      await client.call(TaskV3, "Kill", { id: each, signal: 9 });
      assertEquals((await waited).exitStatus, 137);
      assertEquals(
        (await client.call(TaskV3, "Delete", { id: each })).exitStatus,
        137,
      );
    }
    const unknown = await assertRejects(
      () => client.call(TaskV3, "State", { id: "web" }),
      ShimError,
    );
    assertEquals(unknown.code, "NotFound");
    assertEquals(it.events.topics, [
      "/tasks/create",
      "/tasks/start",
      "/tasks/create",
      "/tasks/start",
      "/tasks/exec-added",
      "/tasks/exec-started",
      "/tasks/exit",
      "/tasks/delete",
      "/tasks/exit",
      "/tasks/delete",
      "/tasks/exit",
      "/tasks/delete",
    ]);
  },
});

Deno.test({
  name:
    "a create whose rootfs is wrong fails with its reason and can be repeated",
  timeout: limit,
  fn: async () => {
    const id = "sb3";
    await using it = await rig(id);
    const { client, bundle } = it;
    await client.call(Sandbox, "CreateSandbox", {
      sandboxId: id,
      bundlePath: bundle.path,
    });
    await client.call(Sandbox, "StartSandbox", { sandboxId: id });
    const refused = await assertRejects(
      () =>
        client.call(TaskV3, "Create", {
          id,
          bundle: bundle.path,
          rootfs: [{
            type: "overlay",
            source: "overlay",
            target: "",
            options: ["lowerdir=/no/such/layer"],
          }],
        }),
      ShimError,
      "/no/such/layer",
    );
    assert(["InvalidArgument", "NotFound"].includes(refused.code));
    const missing = await assertRejects(
      () =>
        client.call(TaskV3, "Create", { id: "x", bundle: "/no/such/bundle" }),
      ShimError,
      "config.json",
    );
    assert(["InvalidArgument", "NotFound"].includes(missing.code));
    await create(client, bundle);
    await client.call(TaskV3, "Start", { id });
    await readBytes(bundle.output, "ready\n".length);
    await client.call(TaskV3, "Kill", { id, signal: 9 });
    await client.call(TaskV3, "Wait", { id });
    await client.call(TaskV3, "Delete", { id });
  },
});

Deno.test({
  name:
    "an exec without streams can write as much as it wants, and its input is empty",
  timeout: limit,
  fn: async () => {
    const id = "sb4";
    await using it = await rig(id);
    const { client, bundle } = it;
    const sandbox = { sandboxId: id, bundlePath: bundle.path };
    await client.call(Sandbox, "CreateSandbox", sandbox);
    await client.call(Sandbox, "StartSandbox", sandbox);
    await create(client, bundle);
    await client.call(TaskV3, "Start", { id });
    const exec = { id, execId: "e" };
    const script = 'seq 1000000 && seq 1000 >&2 && test -z "$(cat)" && exit 8';
    await client.call(TaskV3, "Exec", {
      ...exec,
      spec: execSpec(["/bin/sh", "-c", script]),
    });
    await client.call(TaskV3, "Start", exec);
    assertEquals((await client.call(TaskV3, "Wait", exec)).exitStatus, 8);
    await client.call(TaskV3, "Delete", exec);
  },
});
