/**
 * `serve`: the process that lives as long as its sandbox.
 *
 * It listens first, so that a `start` that comes second finds it, and is ready when
 * it can answer without delay.
 *
 * @module
 */

import type { DuplexListener } from "../base/duplex.ts";
import { messageOf } from "../base/errors.ts";
import type { Arguments } from "./args.ts";
import { loadMachine, type Machine } from "./host.ts";
import { readStandardInput } from "./stdin.ts";

async function say(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) {
    sent += await Deno.stdout.write(bytes.subarray(sent));
  }
}

/**
 * Runs `serve` until its sandbox is gone.
 *
 * A failure before the endpoint is served is told to `start` on standard output;
 * standard error is the file `panic.log` and holds crashes only.
 *
 * @returns The exit code.
 */
export async function runServe(args: Arguments): Promise<number> {
  const input = readStandardInput();
  // It is looked at after the endpoint is served.
  input.catch(() => {});
  let machine: Machine;
  let listener: DuplexListener;
  try {
    machine = await loadMachine();
    listener = await machine.platform.listen(args.socket);
  } catch (error) {
    await say(`${messageOf(error)}\n`);
    return 1;
  }
  const { runServer } = await import("./server.ts");
  const ready = (): Promise<void> => say("ready\n");
  return await runServer({ args, machine, listener, input, ready });
}
