/**
 * Running a program whose output goes to a port of the host, also after the
 * connection was lost (`vsockexec -r`).
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { silentLogger } from "../../base/log.ts";
import { close, duplicate, pipe } from "../../ffi/linux/files.ts";
import { spawn } from "../../ffi/linux/spawn.ts";
import { Reaper } from "../../ffi/linux/reaper.ts";
import { hostDialer } from "../stand_in.ts";
import type { VsockexecArguments } from "./vsockexec.ts";

/** Bytes that are copied at once. */
const chunk = 64 * 1024;

/** Milliseconds between attempts to reach the host. */
const redial = 100;

/** The longest interval that timers take, in milliseconds. */
const longestTimer = 0x7fffffff;

/** What output is sent with; tests replace it. */
export interface OutputPorts {
  /** Reaches the host. */
  readonly dial: () => Promise<Duplex>;
  /** Time. */
  readonly clock: Clock;
}

/** Where output comes from. */
export interface ByteSource {
  /** Reads at least one byte; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** Reaches the host, as often as it takes. */
async function reach({ dial, clock }: OutputPorts): Promise<Duplex> {
  for (;;) {
    try {
      return await dial();
    } catch {
      // The host may be away for as long as a migration takes.
      await clock.sleep(redial);
    }
  }
}

/**
 * Copies a stream to the host until its end. What could not be sent is sent
 * again over the next connection.
 */
export async function relayOutput(
  source: ByteSource,
  ports: OutputPorts,
): Promise<void> {
  const buffer = new Uint8Array(chunk);
  let sink = await reach(ports);
  for (let n; (n = await source.read(buffer)) !== null;) {
    for (;;) {
      try {
        await sink.write(buffer.subarray(0, n));
        break;
      } catch {
        await sink.close();
        sink = await reach(ports);
      }
    }
  }
  await sink.closeWrite();
  await sink.close();
}

/** Runs a program to its end. @returns Its exit code, 128 + signal. */
export async function relayProgram(
  options: VsockexecArguments & { readonly path: string },
): Promise<number> {
  const [, stdout, stderr] = options.ports;
  const port = (stderr ?? stdout)!;
  const dial = hostDialer(Deno.env);
  const reaper = new Reaper({ log: silentLogger, orphans: false });
  reaper.start();
  const ends = pipe();
  // A descriptor below 3 may be the pipe's own when one of ours was closed.
  const output = duplicate(ends.write);
  close(ends.write);
  const pid = spawn({
    path: options.path,
    argv: options.program,
    env: Object.entries(Deno.env.toObject())
      .map(([name, value]) => `${name}=${value}`),
    stdio: [
      0,
      stdout === undefined ? 1 : output,
      stderr === undefined ? 2 : output,
    ],
  });
  close(output);
  const code = reaper.exit(pid);
  // One thread of the pool reads the pipe: this program does nothing else, and
  // loads faster without the streams of the agent.
  using source = await Deno.open(`/proc/self/fd/${ends.read}`);
  close(ends.read);
  await relayOutput(source, { dial: () => dial(port), clock: systemClock });
  // The end of the output may be seen first, and a listener for signals alone
  // does not keep the event loop running.
  const alive = setInterval(() => {}, longestTimer);
  try {
    return await code;
  } finally {
    clearInterval(alive);
    reaper.stop();
  }
}
