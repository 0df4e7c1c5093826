import { assertEquals } from "@std/assert";
import { openFifo } from "../../ffi/linux/fifo.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { type Bundle, clientEnd, execSpec, readBytes } from "../driver.ts";
import { limit } from "./fixture.ts";
import { create, type Rig, rig } from "./sandbox_fixture.ts";

// Opened outside of the tests, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

const burst = 8 * 1024 * 1024;

const burstScript = `dd if=/dev/zero bs=65536 count=${burst / 65536} 2>&-`;

const encoder = new TextEncoder();

/** Runs a container in a started sandbox. */
async function run(it: Rig, id: string, script: string): Promise<Bundle> {
  const bundle = await it.member(id, script, { stdin: true });
  await create(it.client, bundle);
  await it.client.call(TaskV3, "Start", { id });
  return bundle;
}

async function started(id: string): Promise<Rig> {
  const it = await rig(id);
  await it.client.call(Sandbox, "CreateSandbox", {
    sandboxId: id,
    bundlePath: it.dir,
  });
  await it.client.call(Sandbox, "StartSandbox", { sandboxId: id });
  return it;
}

Deno.test({
  name:
    "pains:21 8 MiB that init or an exec write just before they exit arrive whole, though both are deleted at once",
  timeout: limit,
  fn: async () => {
    await using it = await started("burst");
    const { client } = it;
    const web = await run(it, "web", "echo ready");
    await readBytes(web.output, "ready\n".length);
    const stdout = `${it.dir}/burst-out`;
    const output = await clientEnd(stdout, "read");
    const exec = { id: "web", execId: "e" };
    await client.call(TaskV3, "Exec", {
      ...exec,
      spec: execSpec(["/bin/sh", "-c", burstScript]),
      stdout,
    });
    await client.call(TaskV3, "Start", exec);
    const read = readBytes(output, burst);
    await client.call(TaskV3, "Wait", exec);
    await client.call(TaskV3, "Delete", exec);
    await read;
    await output.close();
    const init = await it.member("init", `${burstScript}; exit 3`);
    await create(client, init);
    await client.call(TaskV3, "Start", { id: "init" });
    const all = readBytes(init.output, burst);
    const { exitStatus } = await client.call(TaskV3, "Wait", { id: "init" });
    await client.call(TaskV3, "Delete", { id: "init" });
    await all;
    assertEquals(exitStatus, 3);
  },
});

Deno.test({
  name:
    "input goes on when its client leaves and comes back; only CloseIO ends it, of init and of an exec",
  timeout: limit,
  fn: async () => {
    await using it = await started("reattach");
    const { client } = it;
    const web = await run(it, "web", "cat; exit 5");
    const paths = [`${it.dir}/e-in`, `${it.dir}/e-out`] as const;
    const output = await clientEnd(paths[1], "read");
    const first = await clientEnd(paths[0], "write");
    const exec = { id: "web", execId: "e" };
    await client.call(TaskV3, "Exec", {
      ...exec,
      spec: execSpec(["/bin/cat"]),
      stdin: paths[0],
      stdout: paths[1],
    });
    await client.call(TaskV3, "Start", exec);
    for (
      const { client: writer, path, reader, process, code } of [
        {
          client: first,
          path: paths[0],
          reader: output,
          process: exec,
          code: 0,
        },
        {
          client: web.input!,
          path: web.stdin,
          reader: web.output,
          process: { id: "web", execId: "" },
          code: 5,
        },
      ]
    ) {
      await writer.write(encoder.encode("one\n"));
      await readBytes(reader, "one\n".length);
      await writer.close();
      const again = await openFifo(path, "stdout");
      await again.write(encoder.encode("two\n"));
      await readBytes(reader, "two\n".length);
      await again.close();
      assertEquals((await client.call(TaskV3, "State", process)).status, 2);
      await client.call(TaskV3, "CloseIO", { ...process, stdin: true });
      const { exitStatus } = await client.call(TaskV3, "Wait", process);
      assertEquals(exitStatus, code);
    }
    await output.close();
  },
});

Deno.test({
  name:
    "an exec without streams may write, reads nothing and gives its exit code",
  timeout: limit,
  fn: async () => {
    await using it = await started("discard");
    const { client } = it;
    const web = await run(it, "web", "echo ready");
    await readBytes(web.output, "ready\n".length);
    const exec = { id: "web", execId: "e" };
    const script = "seq 100000; seq 100000 >&2; read line; exit 7";
    await client.call(TaskV3, "Exec", {
      ...exec,
      spec: execSpec(["/bin/sh", "-c", script]),
    });
    await client.call(TaskV3, "Start", exec);
    const { exitStatus } = await client.call(TaskV3, "Wait", exec);
    assertEquals(exitStatus, 7);
    await client.call(TaskV3, "Delete", exec);
  },
});
