/**
 * Containers that run in a guest agent, and what its runtime says of them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { nullGuid } from "../../base/guid.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import { toolEnv } from "../debian.ts";
import { type GuestVm, readText, type TestContainer } from "./guest_fixture.ts";

/** A line of the runtime's list. */
export interface ListedContainer {
  /** Its id. */
  readonly id: string;
  /** Its init, in the VM. */
  readonly pid: number;
  /** For example `running`. */
  readonly status: string;
}

/** The containers that the runtime of a VM knows. */
export async function listContainers(vm: GuestVm): Promise<ListedContainer[]> {
  const process = await vm.guest.execute(nullGuid, {
    CommandArgs: ["crun", "list", "-f", "json"],
    Environment: await toolEnv(),
  }, { stdin: false, stdout: true, stderr: false });
  const text = await readText(process.stdout);
  await process.close();
  assertEquals(await process.exited, 0);
  const list: ListedContainer[] = JSON.parse(text) ?? [];
  return list.map(({ id, pid, status }) => ({ id, pid, status }))
    .sort((a, b) => a.id < b.id ? -1 : 1);
}

/** A container that runs until it is killed. */
export async function running(
  vm: GuestVm,
  container: Omit<TestContainer, "args">,
): Promise<Running> {
  const whole = { ...container, args: ["sleep", "1000"] };
  await vm.create(whole);
  return new Running(vm, whole, await vm.start(container.id));
}

/** A container that runs. */
export class Running {
  /** Its first process. */
  readonly init: GuestProcess;
  readonly #vm: GuestVm;
  readonly #container: TestContainer;

  /**
   * @param container What it was made of.
   * @param init Its first process.
   */
  constructor(vm: GuestVm, container: TestContainer, init: GuestProcess) {
    this.#vm = vm;
    this.#container = container;
    this.init = init;
  }

  /** Runs a shell in it to its end. @returns Output and exit code. */
  async shell(script: string): Promise<{ output: string; code: number }> {
    const { id } = this.#container;
    const process = await this.#vm.exec(id, ["sh", "-c", script]);
    const output = await readText(process.stdout);
    await process.close();
    return { output, code: await process.exited };
  }

  /** Its statistics. */
  async statistics(): Promise<LCOWMetrics> {
    const { id } = this.#container;
    const answer = await this.#vm.guest.properties(id, ["Statistics"]);
    return answer.LCOWMetrics!;
  }

  /** Kills it and forgets it. @returns The exit code of its init. */
  async kill(): Promise<number> {
    await this.init.signal();
    await this.init.close();
    const code = await this.init.exited;
    await this.#vm.remove(this.#container);
    return code;
  }
}

/** Standard input, output and errors of a process. */
export interface IoCase {
  /** What is run. */
  readonly args: readonly string[];
  /** What it is told. */
  readonly input: string;
  /** What it answers. */
  readonly output: string;
}

/** The three that processes are tried with. */
export const ioCases: readonly IoCase[] = [
  { args: ["true"], input: "", output: "" },
  { args: ["echo", "-n", "exactly this"], input: "", output: "exactly this" },
  { args: ["tee"], input: "one\ntwo\n", output: "one\ntwo\n" },
];

/** Talks with a process that has all streams, until it has ended well. */
export async function converse(
  process: GuestProcess,
  { input, output }: IoCase,
): Promise<void> {
  if (input !== "") await process.stdin!.write(new TextEncoder().encode(input));
  await process.closeStdin();
  const texts = await Promise.all([
    readText(process.stdout),
    readText(process.stderr),
  ]);
  assertEquals(texts, [output, ""]);
  await process.close();
  assertEquals(await process.exited, 0);
}
