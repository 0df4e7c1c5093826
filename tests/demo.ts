/**
 * The main job, shown: a private containerd runs a pod with two containers
 * through the shim, the simulated host and the guest agent, and cleans up.
 *
 * Usage: `deno task demo`
 *
 * @module
 */

import { lcowRuntime, PrivateContainerd } from "./containerd.ts";
import { messageOf } from "../base/errors.ts";
import { imageName } from "./image.ts";

const pod = "demo-pod";
const web = "demo-web";

const encoder = new TextEncoder();

/** Shows steps: a line that turns into its result on a terminal, plain lines elsewhere. */
class Steps {
  readonly #terminal = Deno.stdout.isTerminal();
  readonly #started = performance.now();
  readonly done: { name: string; ms: number }[] = [];

  #write(text: string): void {
    Deno.stdout.writeSync(encoder.encode(text));
  }

  /** A line of its own, for example one of a container's output. */
  say(line: string): void {
    this.#write(`${this.#terminal ? "\r\x1b[K" : ""}            ${line}\n`);
  }

  /** Runs one step and shows its name and time. */
  async step<T>(name: string, task: () => Promise<T>): Promise<T> {
    const started = performance.now();
    if (this.#terminal) this.#write(`     …      ${name}`);
    try {
      const result = await task();
      this.#line(name, performance.now() - started, "✓");
      return result;
    } catch (error) {
      this.#line(name, performance.now() - started, "✗");
      throw error;
    }
  }

  #line(name: string, ms: number, mark: string): void {
    this.done.push({ name, ms });
    const at = `${ms.toFixed(0)} ms`.padStart(9);
    this.#write(`${this.#terminal ? "\r\x1b[K" : ""}${at} ${mark} ${name}\n`);
  }

  /** Milliseconds since the first step. */
  get total(): number {
    return performance.now() - this.#started;
  }
}

async function streamExec(
  containerd: PrivateContainerd,
  steps: Steps,
): Promise<void> {
  const script =
    "for i in 1 2 3; do echo line $i of $(hostname); usleep 50000; done";
  const process = containerd.spawn([
    "task",
    "exec",
    "--fifo-dir",
    `${containerd.dir}/fifo`,
    "--exec-id",
    "demo-exec",
    web,
    "sh",
    "-c",
    script,
  ]);
  const errors = new Response(process.stderr).text();
  let rest = "";
  for await (
    const text of process.stdout.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) steps.say(`│ ${line}`);
  }
  const { code } = await process.status;
  if (code !== 0) {
    throw new Error(`exec gave exit code ${code}: ${await errors}`);
  }
}

async function runPod(
  containerd: PrivateContainerd,
  steps: Steps,
): Promise<void> {
  const annotated = (id: string, type: string, command: string[]): string[] =>
    containerd.runArgs(id, command, [
      "--detach",
      "--null-io",
      "--annotation",
      `io.kubernetes.cri.container-type=${type}`,
      "--annotation",
      `io.kubernetes.cri.sandbox-id=${pod}`,
    ], lcowRuntime);
  await steps.step(
    "run the pod's sandbox container (boots the VM)",
    () => containerd.ctr(...annotated(pod, "sandbox", ["sleep", "1000"])),
  );
  await steps.step(
    "run a second container in the pod",
    () => containerd.ctr(...annotated(web, "container", ["sleep", "1000"])),
  );
  await steps.step("list the tasks", async () => {
    for (
      const line of (await containerd.ctr("task", "ls")).trim().split("\n")
    ) {
      steps.say(`│ ${line}`);
    }
  });
  await steps.step(
    "execute a command and stream its output",
    () => streamExec(containerd, steps),
  );
  const end = async (id: string): Promise<void> => {
    // Kills, waits for the exit and deletes.
    await containerd.run(["task", "delete", "--force", id]);
    await containerd.ctr("container", "delete", id);
  };
  await steps.step("kill and delete the second container", () => end(web));
  await steps.step("delete the pod (ends the VM)", () => end(pod));
}

function table(steps: Steps, left: readonly string[]): string {
  const rows = [
    ...steps.done.map(({ name, ms }) => [name, `${ms.toFixed(0)} ms`]),
    ["total", `${steps.total.toFixed(0)} ms`],
    [
      "processes and mounts left behind",
      left.length === 0 ? "none" : `${left.length}`,
    ],
  ];
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  return rows.map(([name = "", value = ""]) =>
    `  ${name.padEnd(width)}  ${value.padStart(9)}`
  ).join("\n");
}

async function demo(): Promise<number> {
  const steps = new Steps();
  let containerd: PrivateContainerd | undefined;
  try {
    containerd = await steps.step(
      `start a private containerd with the image ${imageName}`,
      () => PrivateContainerd.start({ say: (line) => steps.say(line) }),
    );
    await runPod(containerd, steps);
    const left = await containerd.leftovers();
    await containerd.stop();
    console.log(`\n${table(steps, left)}`);
    for (const line of left) console.log(`  left: ${line}`);
    return left.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(`\nThe demo failed: ${messageOf(error)}`);
    if (containerd !== undefined) {
      console.error(`containerd's log: ${containerd.dir}/containerd.log`);
      await containerd.halt();
    }
    return 1;
  }
}

if (import.meta.main) Deno.exit(await demo());
