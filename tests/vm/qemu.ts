/**
 * A virtual machine of QEMU, without hardware acceleration.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { unpackPackages, withDependencies } from "../../image/packages.ts";
import { cacheDirectory } from "../debian.ts";
import { Monitor } from "./monitor.ts";

const root = `${cacheDirectory}vm/qemu`;
const program = "qemu-system-x86";
const libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"]
  .map((folder) => `${root}/${folder}`).join(":");

/** Unpacks QEMU and the libraries that this machine lacks. */
export async function fetchQemu(): Promise<void> {
  await unpackPackages(root, program, (cwd) => withDependencies(program, cwd));
}

/** How a machine is started. */
export interface MachineOptions {
  /** Folder for its sockets. */
  readonly folder: string;
  /** The kernel. */
  readonly kernel: string;
  /** The initial RAM disk. */
  readonly initrd: string;
  /** The kernel's command line. */
  readonly commandLine: string;
  /** MiB of memory. */
  readonly memory: number;
  /** Processors. */
  readonly processors: number;
}

/** Arguments of QEMU: processors, one SCSI controller, one network adapter. */
export function machineArguments(options: MachineOptions): string[] {
  return [
    ...["-L", `${root}/usr/share/qemu`, "-L", `${root}/usr/share/seabios`],
    ...["-M", "q35,usb=off", "-accel", "tcg,thread=multi", "-cpu", "max"],
    ...["-smp", `${options.processors}`, "-m", `${options.memory}M`],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-kernel", options.kernel, "-initrd", options.initrd],
    ...["-append", options.commandLine],
    ...["-serial", `file:${options.folder}/console`],
    ...["-qmp", `unix:${options.folder}/monitor,server=on,wait=off`],
    ...["-device", "virtio-scsi-pci,id=scsi0"],
    ...["-netdev", "user,id=net0,restrict=off"],
    ...["-device", "virtio-net-pci,netdev=net0,romfile="],
  ];
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended
  }
}

/** A machine. */
export class Machine {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  /** QEMU's monitor. */
  readonly monitor: Monitor;

  private constructor(
    child: Deno.ChildProcess,
    folder: string,
    monitor: Monitor,
  ) {
    this.#child = child;
    this.#folder = folder;
    this.monitor = monitor;
  }

  /** Switches a machine on. */
  static async start(options: MachineOptions): Promise<Machine> {
    // It must not outlive a test that is killed.
    const child = new Deno.Command("setpriv", {
      args: [
        "--pdeathsig=KILL",
        `${root}/usr/bin/qemu-system-x86_64`,
        ...machineArguments(options),
      ],
      env: { LD_LIBRARY_PATH: libraries },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const errors = new Response(child.stderr).text();
    try {
      const path = `${options.folder}/monitor`;
      const ended = child.status.then(() => {
        throw new Error("It has ended");
      });
      const monitor = await Promise.race([
        Monitor.open(path, systemClock),
        ended,
      ]);
      ended.catch(() => {});
      errors.catch(() => {});
      return new Machine(child, options.folder, monitor);
    } catch (error) {
      end(child);
      await child.status;
      throw new Error(`QEMU did not start: ${await errors}`, { cause: error });
    }
  }

  /** Settles when the machine is off. @returns QEMU's exit code. */
  get off(): Promise<number> {
    return this.#child.status.then(({ code }) => code);
  }

  /** What the machine wrote to its console. */
  async console(): Promise<string> {
    return await Deno.readTextFile(`${this.#folder}/console`);
  }

  /** Cuts the power, if it is still on. */
  async stop(): Promise<void> {
    await this.monitor.close();
    end(this.#child);
    await this.#child.status;
  }
}
