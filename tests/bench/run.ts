/**
 * Runs the same work, alternating, through our shim and through Debian's own
 * `containerd-shim-runc-v2`, and prints medians, p95 and ratios.
 *
 * Usage: `deno task bench [--runs N] [--json FILE]`
 *
 * Phases, all in milliseconds:
 * - shim-start: the `start` command, until its answer is complete
 * - connect: dial of the answered address and a first answer (`State` of a task that is not there)
 * - vm-boot: CreateSandbox and StartSandbox (only ours, first of a pod)
 * - create: Task.Create of a container with an overlay root file system
 * - task-start: Task.Start, until its reply
 * - first-output: Task.Start sent, until the first byte of output
 * - exec: Exec, Start, Wait and Delete of `/bin/true` in the container
 * - delete: Kill, Wait and Delete of the container
 * - total: the sum of shim-start, connect, vm-boot, create, first-output, exec, delete
 * - stdio-8B, stdio-4KiB, stdio-4MiB: a round trip through `cat`
 *
 * @module
 */

import {
  type Bundle,
  connectShim,
  EventSink,
  execSpec,
  makeBundle,
  readBytes,
  type ShimBinary,
  startShim,
} from "../driver.ts";
import { buildRootfs } from "../image.ts";
import { classify } from "../../base/errors.ts";
import { toolEnv } from "../debian.ts";
import { install } from "../../bin/install.ts";
import { TaskV2 } from "../../ttrpc/api/task.gen.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import type { TtrpcClient } from "../../ttrpc/client.ts";

import { printReport, type Sample, summarize } from "./report.ts";

const root = new URL("../../", import.meta.url).pathname;

const summed = new Set([
  "shim-start",
  "connect",
  "vm-boot",
  "create",
  "first-output",
  "exec",
  "delete",
]);

async function timed<T>(
  sample: Sample,
  name: string,
  task: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const result = await task();
  const ms = performance.now() - started;
  sample[name] = (sample[name] ?? 0) + ms;
  if (summed.has(name)) sample["total"] = (sample["total"] ?? 0) + ms;
  return result;
}

const roundTrips: readonly (readonly [string, number])[] = [
  ["stdio-8B", 8],
  ["stdio-4KiB", 4096],
  ["stdio-4MiB", 4 * 1024 * 1024],
];

/** A first call: the task is not there yet, and the answer says so. */
async function answered(client: TtrpcClient, id: string): Promise<void> {
  try {
    await client.call(TaskV2, "State", { id, execId: "" });
  } catch (error) {
    if (classify(error) !== "NotFound") throw error;
  }
}

/** Create, start, exec, round trips and delete of one container. */
async function life(
  client: TtrpcClient,
  bundle: Bundle,
  sample: Sample,
): Promise<void> {
  const { id } = bundle;
  await timed(sample, "create", () =>
    client.call(TaskV2, "Create", {
      id,
      bundle: bundle.path,
      rootfs: [...bundle.mounts],
      stdin: bundle.stdin,
      stdout: bundle.stdout,
      stderr: bundle.stderr,
    }));
  await timed(sample, "first-output", async () => {
    await Promise.all([
      timed(
        sample,
        "task-start",
        () => client.call(TaskV2, "Start", { id, execId: "" }),
      ),
      readBytes(bundle.output, "ready\n".length),
    ]);
  });
  for (const [name, size] of roundTrips) {
    const payload = new Uint8Array(size).fill(97);
    await timed(
      sample,
      name,
      () =>
        Promise.all([
          bundle.input?.write(payload),
          readBytes(bundle.output, size),
        ]),
    );
  }
  await timed(sample, "exec", async () => {
    const exec = { id, execId: "probe" };
    await client.call(TaskV2, "Exec", {
      ...exec,
      spec: execSpec(["/bin/true"]),
    });
    await client.call(TaskV2, "Start", exec);
    await client.call(TaskV2, "Wait", exec);
    await client.call(TaskV2, "Delete", exec);
  });
}

async function end(
  client: TtrpcClient,
  id: string,
  sample: Sample,
): Promise<void> {
  await timed(sample, "delete", async () => {
    const whole = { id, execId: "" };
    const waited = client.call(TaskV2, "Wait", whole);
    await client.call(TaskV2, "Kill", { ...whole, signal: 9 });
    await waited;
    await client.call(TaskV2, "Delete", whole);
  });
}

/** Peak resident set of a process, in MiB. */
async function peakRss(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.trim().split(/\s+/).filter((word) => word !== "").map(Number);
}

/** The processes of the VMs that are no container's: unshare, init, agent. */
async function vmPids(state: string): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir(`${state}/vm`)) {
    const record = await Deno.readTextFile(`${state}/vm/${name}/system.json`);
    const { pid } = JSON.parse(record).vm;
    const inits = await childrenOf(pid);
    const agents = await Promise.all(inits.map(childrenOf));
    pids.push(pid, ...inits, ...agents.map(([agent = 0]) => agent));
  }
  return pids.filter((pid) => pid > 0);
}

const command = ["/bin/sh", "-c", "echo ready; exec cat"];

/** Waits until the shim has closed the connection, which it does when it ends. */
async function shutDown(client: TtrpcClient, id: string): Promise<void> {
  const gone = client.closed;
  await client.call(TaskV2, "Shutdown", { id, now: false }).catch(() => {});
  await gone;
}

class Bench {
  readonly #dir: string;
  readonly #rootfs: string;
  readonly #ours: ShimBinary;
  readonly #peer: ShimBinary;
  #next = 0;

  constructor(dir: string, rootfs: string, env: Record<string, string>) {
    this.#dir = dir;
    this.#rootfs = rootfs;
    this.#ours = {
      path: `${root}bin/containerd-shim-lcow-v2`,
      env: { ...env, LCOW_STATE: `${dir}/lcow` },
    };
    this.#peer = { path: "containerd-shim-runc-v2", env };
  }

  #bundle(
    id: string,
    annotations: Record<string, string> = {},
  ): Promise<Bundle> {
    return makeBundle(this.#dir, {
      id,
      args: command,
      rootfs: this.#rootfs,
      annotations,
      stdin: true,
    });
  }

  /** One pod through our shim: its first container and a second one. */
  async ours(): Promise<{ first: Sample; second: Sample }> {
    const first: Sample = {};
    const second: Sample = {};
    const id = `pod-${Deno.pid}-${this.#next++}`;
    const annotations = (type: string): Record<string, string> => ({
      "io.kubernetes.cri.container-type": type,
      "io.kubernetes.cri.sandbox-id": id,
    });
    await using _ = await this.#bundle(id, annotations("sandbox")).then(
      disposable,
    );
    const bundle = _.bundle;
    const address = await timed(
      first,
      "shim-start",
      () => startShim(this.#ours, this.#dir, bundle),
    );
    const client = await timed(first, "connect", async () => {
      const connected = await connectShim(address);
      await answered(connected, id);
      return connected;
    });
    await timed(first, "vm-boot", async () => {
      await client.call(Sandbox, "CreateSandbox", {
        sandboxId: id,
        bundlePath: bundle.path,
      });
      await client.call(Sandbox, "StartSandbox", { sandboxId: id });
    });
    await life(client, bundle, first);
    await using __ = await this.#bundle(`${id}-b`, annotations("container"))
      .then(disposable);
    const member = __.bundle;
    const sameAddress = await timed(
      second,
      "shim-start",
      () => startShim(this.#ours, this.#dir, member),
    );
    const memberClient = await timed(second, "connect", async () => {
      const connected = await connectShim(sameAddress);
      await answered(connected, member.id);
      return connected;
    });
    await life(memberClient, member, second);
    const { shimPid } = await client.call(TaskV2, "Connect", { id });
    const pids = [shimPid, ...await vmPids(`${this.#dir}/lcow`)];
    const peaks = await Promise.all(pids.map(peakRss));
    first["rss-MiB"] = peaks.reduce((sum, value) => sum + value, 0);
    await end(memberClient, member.id, second);
    await memberClient.close();
    await end(client, id, first);
    const gone = client.closed;
    await client.call(Sandbox, "StopSandbox", { sandboxId: id });
    await client.call(Sandbox, "ShutdownSandbox", { sandboxId: id });
    await client.close();
    await gone;
    return { first, second };
  }

  /** One container through the peer. */
  async peer(): Promise<Sample> {
    const sample: Sample = {};
    const id = `run-${Deno.pid}-${this.#next++}`;
    await using _ = await this.#bundle(id).then(disposable);
    const bundle = _.bundle;
    const address = await timed(
      sample,
      "shim-start",
      () => startShim(this.#peer, this.#dir, bundle),
    );
    const client = await timed(sample, "connect", async () => {
      const connected = await connectShim(address);
      await answered(connected, id);
      return connected;
    });
    await life(client, bundle, sample);
    const { shimPid } = await client.call(TaskV2, "Connect", { id });
    sample["rss-MiB"] = await peakRss(shimPid);
    await end(client, id, sample);
    await shutDown(client, id);
    await client.close();
    return sample;
  }
}

function disposable(bundle: Bundle): { bundle: Bundle } & AsyncDisposable {
  return { bundle, [Symbol.asyncDispose]: () => bundle.close() };
}

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(name);
  return at < 0 ? undefined : Deno.args[at + 1];
}

async function main(): Promise<void> {
  const runs = Number(option("--runs") ?? 30);
  const warmups = 3;
  const env = await toolEnv();
  await install();
  const rootfs = await buildRootfs(env);
  const dir = await Deno.makeTempDir({ prefix: "lcow-" });
  Deno.env.set("PATH", env["PATH"] ?? "");
  const first: Sample[] = [];
  const second: Sample[] = [];
  const peer: Sample[] = [];
  {
    await using _ = new EventSink(`${dir}/containerd.sock.ttrpc`);
    const bench = new Bench(dir, rootfs, env);
    for (let run = -warmups; run < runs; run++) {
      const ours = await bench.ours();
      const theirs = await bench.peer();
      if (run < 0) continue;
      first.push(ours.first);
      second.push(ours.second);
      peer.push(theirs);
    }
  }
  await Deno.remove(dir, { recursive: true });
  const columns = {
    first: summarize(first),
    second: summarize(second),
    peer: summarize(peer),
  };
  console.log(
    `${runs} runs after ${warmups} warm-ups, alternating; milliseconds`,
  );
  printReport(columns);
  const file = option("--json");
  if (file !== undefined) {
    await Deno.writeTextFile(
      file,
      JSON.stringify({ version: 1, runs, warmups, columns }, null, 2) + "\n",
    );
  }
}

if (import.meta.main) await main();
