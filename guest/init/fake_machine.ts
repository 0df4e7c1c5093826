/**
 * A machine for tests of init: takes notes and fails on demand.
 *
 * @module
 */

import { FakeClock } from "../../base/clock.ts";
import { memoryPair } from "../../base/duplex.ts";
import { prefixText } from "../../base/ip_address.ts";
import { jsonLogger } from "../../base/log.ts";
import { ErrnoError } from "../../ffi/linux/errno.ts";
import type { InitPorts, ProgramStart } from "./boot.ts";

/** What a test says about the machine. */
export interface FakeMachineOptions {
  /** Texts of files beside the usual ones. */
  readonly files?: Readonly<Record<string, string>>;
  /** Error number of a call, by the note that the call leaves. */
  readonly failures?: Readonly<Record<string, number>>;
  /** The kernel cannot judge devices in the unified tree. */
  readonly withoutDevices?: boolean;
  /** Programs by name; default is what every image has. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Exit codes by program path; others end with 0. */
  readonly exits?: Readonly<Record<string, number>>;
  /** Environment of init. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What each port of the host sends. */
  readonly hostPorts?: Readonly<Record<number, Uint8Array>>;
}

const files = {
  "/proc/cmdline": "quiet",
  "/proc/cgroups":
    "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t1\t1\nmemory\t0\t1\t1\nrdma\t0\t1\t0\n",
  "/sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
  "/etc/modules": "# drivers\nhv_sock\nsd_mod\n",
};

const programs = { modprobe: "/sbin/modprobe" };

/** A machine and the notes about it. */
export interface FakeMachine {
  /** For init. */
  readonly ports: InitPorts;
  /** Every call that changes the machine, in order. */
  readonly notes: string[];
  /** Lines of the log. */
  readonly log: string[];
}

/** Makes a machine. */
export function fakeMachine(options: FakeMachineOptions = {}): FakeMachine {
  const notes: string[] = [];
  const log: string[] = [];
  const texts: Record<string, string> = { ...files, ...options.files };
  const known: Record<string, string> = { ...programs, ...options.programs };
  const note = (text: string): void => {
    notes.push(text);
    const number = options.failures?.[text];
    if (number !== undefined) throw new ErrnoError(number, text);
  };
  const later = (text: string): Promise<void> => Promise.try(() => note(text));
  const start = ({ path, argv, session }: ProgramStart): Promise<number> =>
    Promise.try(() => {
      note(`start ${path}: ${argv.join(" ")}${session ? " (session)" : ""}`);
      return options.exits?.[path] ?? 0;
    });
  const ports: InitPorts = {
    mount: ({ source, target, type, flags, data }) =>
      later(`mount ${source} ${target} ${type} ${flags} ${data ?? ""}`.trim()),
    unmount: (target) => later(`unmount ${target}`),
    makeFolder: (path, mode) => later(`folder ${path} ${mode.toString(8)}`),
    makeLink: (target, path) => later(`link ${path} ${target}`),
    readText: (path) =>
      Promise.try(() => {
        const text = texts[path];
        if (text === undefined) throw new Deno.errors.NotFound(path);
        return text;
      }),
    writeText: (path, text) => later(`write ${path} ${text}`),
    canJudgeDevices: () => !options.withoutDevices,
    limitOpenFiles: ({ soft, hard }) => note(`limit ${soft} ${hard}`),
    setUpLink: (name, address) =>
      note(`up ${name} ${address ? prefixText(address) : ""}`.trim()),
    addEntropy: (bytes) => note(`entropy ${bytes.length}`),
    dial: async (port) => {
      const bytes = options.hostPorts?.[port];
      if (bytes === undefined) throw new ErrnoError(111, `Cannot dial ${port}`);
      const [near, far] = memoryPair();
      await far.write(bytes);
      await far.closeWrite();
      return near;
    },
    environment: { get: (name) => options.environment?.[name] },
    clock: new FakeClock(),
    find: (name) => Promise.resolve(name.includes("/") ? name : known[name]),
    start,
    log: jsonLogger((line) => log.push(line)),
  };
  return { ports, notes, log };
}
