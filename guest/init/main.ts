/**
 * The first process of a utility VM: makes the machine usable, starts the guest
 * agent, and ends with it (`spec/guest-runtime.md` 17.1).
 *
 * `/init [-d shell] [-e entropyPort] [-w] program args…`, where the words are
 * those behind `--` on the kernel command line.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { jsonLogger } from "../../base/log.ts";
import { addEntropy, canJudgeDevices } from "../../ffi/linux/boot.ts";
import { limitOpenFiles } from "../../ffi/linux/limits.ts";
import { mount, unmount } from "../../ffi/linux/mount.ts";
import { spawn } from "../../ffi/linux/spawn.ts";
import { Reaper } from "../../ffi/linux/reaper.ts";
import { findProgram } from "../runtime/detect.ts";
import { hostDialer } from "../stand_in.ts";
import { parseInitArguments } from "./arguments.ts";
import { bootMachine, programEnvironment } from "./boot.ts";
import { setUpLink } from "./link.ts";

/** Lines go to the console, which a machine need not have. */
function say(line: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(line));
  } catch {
    // Nobody can be told.
  }
}

const log = jsonLogger(say, { fields: { source: "init" } });

/** @returns The exit code of the machine's program. */
async function main(): Promise<number> {
  const options = parseInitArguments(Deno.args);
  const reaper = new Reaper({ log, orphans: true });
  reaper.start();
  const env = programEnvironment(Deno.env);
  return await bootMachine(options, {
    mount,
    unmount,
    makeFolder: (path, mode) => Deno.mkdir(path, { mode }),
    makeLink: (target, path) => Deno.symlink(target, path),
    readText: (path) => Deno.readTextFile(path),
    writeText: (path, text) => Deno.writeTextFile(path, text),
    canJudgeDevices,
    limitOpenFiles,
    setUpLink,
    addEntropy,
    dial: hostDialer(Deno.env),
    environment: Deno.env,
    clock: systemClock,
    find: (name) => findProgram(name, env.PATH ?? ""),
    start: ({ path, argv, session }) =>
      reaper.exit(spawn({
        path,
        argv,
        env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        stdio: [0, 1, 2],
        session: session ?? false,
      })),
    log,
  });
}

if (import.meta.main) {
  // The kernel panics when its first process ends: that ends the machine.
  try {
    Deno.exit(await main());
  } catch (error) {
    log.error("The machine cannot be started", { error: messageOf(error) });
    Deno.exit(1);
  }
}
