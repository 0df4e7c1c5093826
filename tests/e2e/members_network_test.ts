import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { stateFolders } from "../../sim/state.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { type Bundle, readLines } from "../driver.ts";
import { processesOf } from "../processes.ts";
import { create, describeNamespace, type Rig, rig } from "./sandbox_fixture.ts";

// Opened outside of the tests, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

const namespace = "B0000000-0000-4000-8000-00000000000B";

/** Prints which interfaces it has, its way out, its names, whether the gateway answers. */
const look = [
  "ip -o -4 address show dev eth0 | grep -o 'inet [^ ]*'",
  "ip route | grep -o '^default via [^ ]* dev [^ ]*'",
  "cat /etc/resolv.conf",
  "nc -w 5 10.0.7.1 9 2>&1 </dev/null | grep -o refused",
].join("; ");

const seen = [
  "inet 10.0.7.5/24",
  "default via 10.0.7.1 dev eth0",
  "search cluster.local",
  "nameserver 10.0.7.10",
  "refused",
];

const endpoint = {
  id: "e0000007-0000-4000-8000-000000abcdef",
  name: "pod_eth0",
  addresses: ["10.0.7.5/24"],
  gateways: ["10.0.7.1"],
  servers: ["10.0.7.10"],
  searches: ["Cluster.local"],
};

/** CreateSandbox as CRI's `shim` sandboxer calls it, without a config.json. */
async function createSandbox(it: Rig, netnsPath: string): Promise<void> {
  const { client, bundle: { id: sandboxId }, dir } = it;
  const request = { sandboxId, bundlePath: dir, netnsPath };
  await client.call(Sandbox, "CreateSandbox", request);
}

/** StartSandbox. @returns The process id of the shim. */
async function startSandbox({ client, bundle }: Rig): Promise<number> {
  const sandboxId = bundle.id;
  return (await client.call(Sandbox, "StartSandbox", { sandboxId })).pid;
}

/** How many network namespaces the simulated host, which is in the shim, holds. */
async function heldNetworks(shim: number): Promise<number> {
  let held = 0;
  for await (const { name } of Deno.readDir(`/proc/${shim}/fd`)) {
    const target = await Deno.readLink(`/proc/${shim}/fd/${name}`)
      .catch(() => ""); // closed meanwhile
    if (target.startsWith("net:")) held++;
  }
  return held;
}

/** Runs a member; its network is a path of the host, as CRI writes it. */
async function run(it: Rig, id: string, script: string): Promise<Bundle> {
  const bundle = await it.member(id, `${script}; echo end`, {
    namespaces: [
      { type: "network", path: "/proc/1/ns/net" },
      { type: "mount" },
    ],
  });
  await create(it.client, bundle);
  await it.client.call(TaskV3, "Start", { id });
  return bundle;
}

async function remove({ client }: Rig, id: string): Promise<void> {
  const waited = client.call(TaskV3, "Wait", { id });
  await client.call(TaskV3, "Kill", { id, signal: 9 });
  await waited;
  await client.call(TaskV3, "Delete", { id });
}

Deno.test({
  name:
    "the containers of CRI's shim sandboxer share the network of the sandbox, whichever of them ends and comes",
  timeout: 120_000,
  fn: async () => {
    await using it = await rig("podnet");
    await using _namespace = await describeNamespace(it, namespace, [endpoint]);
    await createSandbox(it, namespace);
    await startSandbox(it);
    const first = await run(
      it,
      "first",
      `{ while :; do echo hello | nc -l -p 8080; done & }; ${look}`,
    );
    assertEquals(await readLines(first.output, "end"), seen);
    const second = await run(
      it,
      "second",
      `${look}; until nc -w 5 127.0.0.1 8080 </dev/null; do :; done`,
    );
    assertEquals(await readLines(second.output, "end"), [...seen, "hello"]);
    await remove(it, "first");
    const third = await run(it, "third", look);
    assertEquals(await readLines(third.output, "end"), seen);
    await remove(it, "second");
    await remove(it, "third");
    // Nobody is left who had it; it is there all the same.
    const again = await run(it, "first2", look);
    assertEquals(await readLines(again.output, "end"), seen);
  },
});

Deno.test({
  name: "a namespace that CRI names by a path is a network with a gateway",
  timeout: 60_000,
  fn: async () => {
    await using it = await rig("pathnet");
    await createSandbox(it, `/proc/${Deno.pid}/ns/net`);
    await startSandbox(it);
    const gateway =
      "$(ip route | sed -n 's/^default via \\([^ ]*\\) .*/\\1/p')";
    const script = `nc -w 5 ${gateway} 9 2>&1 </dev/null | grep -o refused`;
    const member = await run(it, "web", script);
    assertEquals(await readLines(member.output, "end"), ["refused"]);
  },
});

Deno.test({
  name:
    "StartSandbox with a network namespace that is not there fails with NotFound, and no VM is left",
  timeout: 60_000,
  fn: async () => {
    for (const netnsPath of [namespace, "/var/run/netns/lcow-none"]) {
      await using it = await rig("nonet");
      await createSandbox(it, netnsPath);
      const error = await assertRejects(
        () => startSandbox(it),
        ShimError,
        `"${netnsPath}"`,
      );
      assertEquals(error.code, "NotFound");
      const { state, info } = await it.client.call(Sandbox, "SandboxStatus", {
        sandboxId: "nonet",
        verbose: true,
      });
      assertEquals(
        [state, info["state"]],
        ["SANDBOX_NOTREADY", "Terminated"],
      );
    }
  },
});

Deno.test({
  name:
    "the network of a sandbox ends with its VM, whether that is stopped or killed",
  timeout: 60_000,
  fn: async () => {
    for (const end of ["stopped", "killed"]) {
      await using it = await rig("endnet");
      await using _namespace = await describeNamespace(it, namespace, [
        endpoint,
      ]);
      await createSandbox(it, namespace);
      const shim = await startSandbox(it);
      await run(it, "web", "true");
      assert(await heldNetworks(shim) > 0);
      const sandbox = { sandboxId: it.bundle.id };
      const ended = it.client.call(Sandbox, "WaitSandbox", sandbox);
      if (end === "stopped") {
        await it.client.call(Sandbox, "StopSandbox", sandbox);
      } else {
        const folders = stateFolders(`${it.dir}/lcow`);
        const { agent } = await processesOf(folders, it.bundle.id);
        Deno.kill(agent, "SIGKILL");
      }
      await ended;
      assertEquals(await heldNetworks(shim), 0);
    }
  },
});
