/**
 * The processes of a simulated virtual machine, seen from outside.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import {
  identify,
  killProcess,
  type ProcessIdentity,
} from "./process_identity.ts";
import { projectRoot } from "./project.ts";

/** What runs in a machine. */
export interface VmCommand {
  /** Its folder, with `fstab`, `m` and `v` in it. */
  readonly folder: string;
  /** Control groups that it enters. */
  readonly groups: readonly string[];
  /** The agent and its arguments. */
  readonly agent: readonly string[];
  /** The whole environment of the agent. */
  readonly env: Readonly<Record<string, string>>;
}

/** How its first process ended. */
export interface VmEnd {
  /** Exit code, 128 + signal when a signal ended it. */
  readonly code: number;
  /** The signal that ended it; SIGINT after a power-off from inside. */
  readonly signal: Deno.Signal | null;
}

const bootScript = `${projectRoot}/sim/boot.sh`;

/**
 * Dies with this process; makes the namespaces; its child is the machine's first
 * process and dies with it. Mounts of the computer appear inside, never the
 * other way round.
 */
const launcher = [
  ...["setpriv", "--pdeathsig", "KILL"],
  ...["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork"],
  ...["--kill-child=KILL", "--propagation", "slave"],
  ...["sh", bootScript, "enter"],
];

/** Reads the first line of a stream; nothing follows it at once. */
async function firstLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += decoder.decode(value, { stream: true });
      if (text.endsWith("\n")) return text.trimEnd();
    }
  } finally {
    reader.releaseLock();
  }
}

/** A machine whose root stands. */
export class VmProcess {
  /** The process above the machine's first one, in the machine's mounts. */
  readonly identity: ProcessIdentity;
  /** The machine's root directory, seen from outside. */
  readonly root: string;
  /** Standard error of the agent. One reader. */
  readonly log: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Settles when nothing of it runs any more. */
  readonly ended: Promise<VmEnd>;
  readonly #child: Deno.ChildProcess;
  readonly #init: ProcessIdentity;
  readonly #complaints: Promise<string>;

  private constructor(
    child: Deno.ChildProcess,
    identity: ProcessIdentity,
    init: ProcessIdentity,
    complaints: Promise<string>,
  ) {
    this.#child = child;
    this.#init = init;
    this.#complaints = complaints;
    this.identity = identity;
    this.root = `/proc/${identity.pid}/root`;
    this.log = child.stdout;
    this.ended = this.#end();
  }

  /**
   * Makes the namespaces and the root; the agent waits for
   * {@linkcode VmProcess.proceed}.
   *
   * @throws {ShimError} Internal with what the boot script said; the signal's
   * reason. Nothing runs then.
   */
  static async start(
    { folder, groups, agent, env }: VmCommand,
    signal?: AbortSignal,
  ): Promise<VmProcess> {
    signal?.throwIfAborted();
    const child = spawn([...launcher, folder, groups.join(":"), ...agent], env);
    // Of the boot script, and of unshare(1), which complains about the kill.
    const complaints = new Response(child.stderr).text();
    const kill = (): void => killChild(child);
    signal?.addEventListener("abort", kill, { once: true });
    try {
      const [word, pid] = (await firstLine(child.stdout)).split(" ");
      const identity = await identify(child.pid);
      const init = await identify(Number(pid));
      if (word === "ready" && identity !== undefined && init !== undefined) {
        return new VmProcess(child, identity, init, complaints);
      }
    } finally {
      signal?.removeEventListener("abort", kill);
    }
    killChild(child);
    const [said] = await Promise.all([
      complaints,
      child.stdout.cancel(),
      child.status,
      closeInput(child),
    ]);
    signal?.throwIfAborted();
    throw new ShimError(
      "Internal",
      `The boot script failed: ${said.trim() || "it said nothing"}`,
    );
  }

  /** Lets the agent run. */
  async proceed(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("go\n"));
    await writer.close();
  }

  /** Ends everything in the machine at once. */
  async kill(): Promise<void> {
    await killProcess(this.#init);
  }

  /** Ends it before it ran its agent, and waits until it is gone. */
  async discard(): Promise<void> {
    await this.kill();
    await this.log.cancel();
    await this.ended;
  }

  async #end(): Promise<VmEnd> {
    const [{ code, signal }] = await Promise.all([
      this.#child.status,
      this.#complaints,
    ]);
    // Still open when the agent never ran.
    if (!this.#child.stdin.locked) await closeInput(this.#child);
    return { code, signal };
  }
}

function spawn(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...env },
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw new ShimError(
      "NotFound",
      `Cannot run "${program}" of util-linux: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof TypeError)) throw error;
  }
}

async function closeInput(child: Deno.ChildProcess): Promise<void> {
  try {
    await child.stdin.close();
  } catch {
    // The pipe broke with the process; it is closed all the same.
  }
}
