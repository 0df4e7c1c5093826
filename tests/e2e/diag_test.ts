/** ShimDiag of a shim with a simulated VM. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { limit } from "./fixture.ts";
import { create, rig } from "./sandbox_fixture.ts";

// Opened outside of the tests, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

Deno.test({
  name:
    "host:C2 host:C3 a process of the VM answers its exit code, its output goes to a file, and one that is not there is refused",
  timeout: limit,
  fn: async () => {
    const id = "diag1";
    await using it = await rig(id);
    const { client, bundle, dir } = it;
    const sandbox = { sandboxId: id, bundlePath: bundle.path };
    const run = (args: string[]) =>
      client.call(ShimDiag, "DiagExecInHost", {
        args,
        workdir: "/",
        stdout: `file://${dir}/out.log`,
      });
    const early = await assertRejects(() => run(["true"]), ShimError);
    assertEquals(early.code, "FailedPrecondition");
    await client.call(Sandbox, "CreateSandbox", sandbox);
    await client.call(Sandbox, "StartSandbox", sandbox);
    await create(client, bundle);
    await client.call(TaskV3, "Start", { id });

    const script = "echo hello of the VM; echo not seen >&2; exit 3";
    assertEquals(await run(["/bin/sh", "-c", script]), { exitCode: 3 });
    assertEquals(
      await Deno.readTextFile(`${dir}/out.log`),
      "hello of the VM\n",
    );
    const missing = await assertRejects(() => run(["/no/such"]), ShimError);
    assertStringIncludes(missing.message, "failed to exec into host");
    assertStringIncludes(missing.message, "/no/such");
    const { tasks } = await client.call(ShimDiag, "DiagTasks", { execs: true });
    assertEquals(tasks, [{ id, execs: [] }]);
  },
});
