import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connDuplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { TaskV2 } from "../../ttrpc/api/task.gen.ts";
import { TtrpcClient } from "../../ttrpc/client.ts";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  runContainer,
  useContainerd,
} from "./fixture.ts";

useContainerd();

const shim =
  new URL("../../bin/containerd-shim-lcow-v2", import.meta.url).pathname;

async function startShim(
  id: string,
  stdin: Uint8Array,
  cwd: string,
): Promise<{ code: number; output: string }> {
  const process = new Deno.Command(shim, {
    args: [
      "-namespace",
      "default",
      "-address",
      `${daemon().dir}/containerd.sock`,
      "-publish-binary",
      "containerd",
      "-id",
      id,
      "start",
    ],
    cwd,
    env: daemon().env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const feed = new Blob([stdin.slice()]).stream().pipeTo(process.stdin);
  const { code, stdout, stderr } = await process.output();
  await feed.catch(() => {});
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test({
  name:
    "a root file system that is not there is refused in one line, and nothing stays",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    const { code, stderr } = await ctr.run([
      "run",
      "--rm",
      "--runtime",
      "io.containerd.lcow.v2",
      "--fifo-dir",
      `${ctr.dir}/fifo`,
      "--rootfs",
      "/no/such/rootfs",
      id,
      "true",
    ]);
    assertEquals(code, 1);
    assertEquals(stderr.trim().split("\n").length, 1);
    assertStringIncludes(stderr, "/no/such/rootfs");
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "an unknown container type is refused, and nothing stays",
  timeout: limit,
  fn: async () => {
    const { code, stderr } = await runContainer(["true"], [
      "--annotation",
      "io.kubernetes.cri.container-type=spaceship",
      "--annotation",
      "io.kubernetes.cri.sandbox-id=x",
    ]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "spaceship");
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a workload whose pod does not exist is refused, and nothing stays",
  timeout: limit,
  fn: async () => {
    const { code, stderr } = await runContainer(["true"], [
      "--annotation",
      "io.kubernetes.cri.container-type=container",
      "--annotation",
      "io.kubernetes.cri.sandbox-id=nobody",
    ]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "nobody");
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a program that is not there fails the start with its name",
  timeout: limit,
  fn: async () => {
    const { code, stderr } = await runContainer(["/no/such/program"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "/no/such/program");
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a second container with an id in use is refused, the first goes on",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const second = await ctr.run(["--namespace", "other", "image", "ls"]);
    assertEquals(second.code, 0);
    assertEquals((await ctr.run(ctr.runArgs(id, ["true"]))).code, 1);
    assertStringIncludes(await ctr.ctr("task", "ls"), "RUNNING");
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "start refuses garbage on stdin in one line and leaves no process",
  timeout: limit,
  fn: async () => {
    const bundle = await Deno.makeTempDir({ dir: daemon().dir });
    await Deno.writeTextFile(
      `${bundle}/config.json`,
      '{"ociVersion":"1.0.2","linux":{}}',
    );
    const { code, output } = await startShim(
      newId(),
      crypto.getRandomValues(new Uint8Array(4096)),
      bundle,
    );
    assertEquals(code, 1);
    assertEquals(output.trim().split("\n").length, 1);
    await assertNothingLeft();
  },
});

Deno.test({
  name:
    "start without config.json answers or refuses, in one line, and leaves no process",
  timeout: limit,
  fn: async () => {
    const bundle = await Deno.makeTempDir({ dir: daemon().dir });
    const id = newId();
    const { code, output } = await startShim(id, new Uint8Array(), bundle);
    assertEquals(output.trim().split("\n").length, 1);
    if (code === 0) await shutDownShim(output.trim());
    await assertNothingLeft();
  },
});

/** A create that fails, as containerd follows a start, and its Shutdown. */
async function shutDownShim(answer: string): Promise<void> {
  const address = answer.startsWith("{") ? JSON.parse(answer).address : answer;
  const path = address.replace("unix://", "");
  const client = new TtrpcClient(
    connDuplex(await Deno.connect({ transport: "unix", path })),
  );
  await assertRejects(
    () => client.call(TaskV2, "Create", { id: "x", bundle: "/no/such/bundle" }),
    ShimError,
    "config.json",
  );
  await client.call(TaskV2, "Shutdown", { id: "x" });
  await client.close();
}

Deno.test({
  name: "garbage on the shim's socket ends that connection only",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const sockets = await Array.fromAsync(Deno.readDir(`${ctr.dir}/lcow/s`));
    const path = `${ctr.dir}/lcow/s/${sockets[0]?.name}`;
    for (let i = 0; i < 20; i++) {
      const conn = await Deno.connect({ transport: "unix", path });
      await conn.write(crypto.getRandomValues(new Uint8Array(1000)));
      await conn.closeWrite();
      const rest = await new Response(conn.readable).arrayBuffer();
      assert(rest.byteLength < 100_000);
    }
    assertStringIncludes(await ctr.ctr("task", "ls"), "RUNNING");
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name:
    "a stranger who dials the VM's bridge port cannot disturb the running container",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const vm = (await Array.fromAsync(Deno.readDir(`${ctr.dir}/lcow/vm`)))[0];
    const path = `${ctr.dir}/lcow/vm/${vm?.name}/v/${0x40000000}`;
    try {
      const conn = await Deno.connect({ transport: "unix", path });
      await conn.write(crypto.getRandomValues(new Uint8Array(1000)));
      conn.close();
    } catch (error) {
      // The listener is closed after the agent's dial.
      assert(
        error instanceof Deno.errors.NotFound ||
          error instanceof Deno.errors.ConnectionRefused,
      );
    }
    assertStringIncludes(await ctr.ctr("task", "ls"), "RUNNING");
    await remove(id);
    await assertNothingLeft();
  },
});
