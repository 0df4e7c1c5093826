/**
 * What init does, in its order (`spec/guest-runtime.md` 17.1).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import type { IpPrefix } from "../../base/ip_address.ts";
import { type OpenFileLimits, programFiles } from "../../ffi/linux/limits.ts";
import {
  hostVariable,
  interfaceVariable,
  parseInterface,
} from "../stand_in.ts";
import type { InitArguments } from "./arguments.ts";
import { type CgroupPorts, mountControlGroups } from "./control_groups.ts";
import { takeEntropy } from "./entropy.ts";
import { baseSteps, takeSteps, writableSteps } from "./steps.ts";

/** A program that init starts. */
export interface ProgramStart {
  /** Its path. */
  readonly path: string;
  /** Arguments, its own name first. */
  readonly argv: readonly string[];
  /** In a session of its own. */
  readonly session?: boolean;
}

/** The machine; tests replace it. */
export interface InitPorts extends CgroupPorts {
  /** setrlimit(2) for open files. */
  readonly limitOpenFiles: (limits: OpenFileLimits) => void;
  /** Gives a network interface an address, if any, and brings it up. */
  readonly setUpLink: (name: string, address?: IpPrefix) => void;
  /** Adds bytes to the random pool. */
  readonly addEntropy: (bytes: Uint8Array) => void;
  /** Reaches a port of the host. */
  readonly dial: (port: number) => Promise<Duplex>;
  /** What the kernel gave to init beside its arguments. */
  readonly environment: Pick<Deno.Env, "get">;
  /** Time. */
  readonly clock: Clock;
  /** Path of a program, or undefined. */
  readonly find: (name: string) => Promise<string | undefined>;
  /** Starts a program. @returns Its exit code, 128 + signal, when it ends. */
  readonly start: (program: ProgramStart) => Promise<number>;
}

/** Where the programs of the machine are. */
const searchPath = "/sbin:/usr/sbin:/bin:/usr/bin";

/** The whole environment of the machine's program. */
export function programEnvironment(
  env: Pick<Deno.Env, "get">,
): Record<string, string> {
  const host = env.get(hostVariable);
  return {
    PATH: searchPath,
    ...(host !== undefined && { [hostVariable]: host }),
  };
}

/** Open files of programs that do not ask for more, and at most. */
const openFiles: OpenFileLimits = { soft: programFiles, hard: 1_048_576n };

/** Names of kernel modules that are loaded at boot, one a line. */
const moduleList = "/etc/modules";

/** Programs that serve accelerators, where an image has them. */
const services: readonly (readonly string[])[] = [
  ["nvidia-persistenced"],
  [
    "nv-fabricmanager",
    "-c",
    "/usr/share/nvidia/nvswitch/fabricmanager.cfg",
  ],
];

/** Does what a machine can do without, and says what failed. */
async function attempt(
  what: string,
  { log }: InitPorts,
  task: () => unknown,
): Promise<void> {
  try {
    await task();
  } catch (error) {
    log.warn(`Cannot ${what}`, { error: messageOf(error) });
  }
}

async function loadModules(ports: InitPorts): Promise<void> {
  const names = (await ports.readText(moduleList)).split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (names.length === 0) return;
  const path = await ports.find("modprobe");
  if (path === undefined) {
    throw new ShimError("NotFound", "The image has no modprobe");
  }
  // Without the machine that a module is for, it fails and others still load.
  await ports.start({ path, argv: ["modprobe", "-a", ...names] });
}

function configureStandIn(ports: InitPorts): void {
  const text = ports.environment.get(interfaceVariable);
  if (text === undefined) return;
  const { name, address } = parseInterface(text);
  ports.setUpLink(name, address);
}

/** Starts a service in the background, if the image has it. */
async function startService(
  argv: readonly string[],
  ports: InitPorts,
): Promise<void> {
  const name = argv[0]!;
  await attempt(`run ${name}`, ports, async () => {
    const path = await ports.find(name);
    if (path !== undefined) await ports.start({ path, argv });
  });
}

/** Starts the machine's program. @returns Its exit code. */
async function startProgram(
  argv: readonly string[],
  ports: InitPorts,
): Promise<number> {
  const path = await ports.find(argv[0]!);
  if (path === undefined) {
    throw new ShimError("NotFound", `The image has no program "${argv[0]}"`);
  }
  return await ports.start({ path, argv, session: true });
}

/**
 * Boots the machine and runs its program to its end.
 *
 * @returns The exit code of the program; with a shell, of the shell.
 * @throws When the machine lacks what every program needs.
 */
export async function bootMachine(
  options: InitArguments,
  ports: InitPorts,
): Promise<number> {
  const { log } = ports;
  ports.limitOpenFiles(openFiles);
  await takeSteps(baseSteps, ports);
  if (options.overlays) await takeSteps(writableSteps, ports);
  const commandLine = await ports.readText("/proc/cmdline");
  const version = await mountControlGroups(commandLine, ports);
  await attempt("bring up the loopback", ports, () => ports.setUpLink("lo"));
  await attempt("load kernel modules", ports, () => loadModules(ports));
  await attempt("configure the network", ports, () => configureStandIn(ports));
  const { entropyPort, shell } = options;
  if (entropyPort !== undefined) {
    await attempt("take the host's entropy", ports, async () => {
      const { dial, addEntropy: add, clock } = ports;
      const bytes = await takeEntropy(entropyPort, { dial, add, clock });
      log.info("Took the host's entropy", { bytes });
    });
  }
  for (const argv of services) void startService(argv, ports);
  log.info("Machine is up", { cgroup: version, program: options.program });
  const ended = startProgram(options.program, ports);
  if (shell === undefined) return await ended;
  // Whatever becomes of the program: people look for the reason in the shell.
  void attempt("run the program", ports, () => ended);
  return await startProgram([shell], ports);
}
