/**
 * A utility VM in QEMU, booted from our image with the command line that the
 * host builds, and driven over the bridge as the shim does.
 *
 * @module
 */

import { deadline, systemClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { messageOf } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import type { JsonObject } from "../../base/json.ts";
import { silentLogger } from "../../base/log.ts";
import { GuestConnection } from "../../bridge/connection.ts";
import { BridgeGuest } from "../../bridge/guest.ts";
import { bridgePort } from "../../bridge/places.ts";
import {
  entropyPort,
  logPort,
} from "../../controllers/vm/kernel_command_line.ts";
import { commandLineOf } from "../../controllers/testing/document_input.ts";
import {
  buildImage,
  defaultKernel,
  fetchPackages,
  type Image,
} from "../../image/build.ts";
import { cacheDirectory } from "../debian.ts";
import { HostPorts } from "./host_ports.ts";
import { fetchQemu, Machine } from "./qemu.ts";

/** Milliseconds until the agent must have dialled; 10 s on an idle machine. */
const bootLimit = 150_000;

/** Milliseconds until the machine must be off after it was told so. */
const offLimit = 30_000;

/** Where everything of these tests is. */
const base = `${cacheDirectory}vm`;

/** How the machine boots. */
export interface BootOptions {
  /** Version of the control groups. */
  readonly cgroup: 1 | 2;
  /** The command line has a serial console, which changes its form. */
  readonly console: boolean;
  /** The agent's log must survive a move to another host. */
  readonly migrates: boolean;
}

/**
 * Fetches QEMU and builds the image.
 *
 * @returns The image, or why there is none: a package cannot be had here.
 * @throws When the image cannot be built of its packages.
 */
export async function prepare(): Promise<Image | string> {
  await Deno.mkdir(base, { recursive: true });
  using lock = await Deno.open(`${base}/lock`, { create: true, write: true });
  await lock.lock(true);
  try {
    await fetchQemu();
    await fetchPackages(defaultKernel);
  } catch (error) {
    return messageOf(error).split("\n")[0]!;
  }
  const folder = `${base}/image`;
  return await buildImage({ folder, kernel: defaultKernel, say: () => {} });
}

/** The host's command line, with what stands for Hyper-V's devices in QEMU. */
function commandLine(options: BootOptions, tcpPort: number): string {
  return commandLineOf({
    annotations: {
      // QEMU's devices are on a PCI bus.
      vpciEnabled: "true",
      kernelBootOptions: [
        ...["8250_core.nr_uarts=1", "console=ttyS0"],
        `LCOW_VSOCK_TCP=10.0.2.2:${tcpPort}`,
        "LCOW_NIC=eth0=10.0.2.15/24",
        ...(options.cgroup === 1 ? ["hcsshim.cgroup=v1"] : []),
      ].join(" "),
      ...(options.migrates && { migrationSupport: "true" }),
      ...(options.console && { consolePipe: "\\\\.\\pipe\\console" }),
    },
    options: { logLevel: "debug" },
  });
}

/** Reads a stream to its end, and closes it. */
async function readText(stream: Duplex): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  let text = "";
  for (let n; (n = await stream.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
  await stream.close();
  return text;
}

/** How a machine ended. */
export interface MachineEnd {
  /** QEMU's exit code. */
  readonly code: number;
  /** The agent's log. */
  readonly log: string;
  /** What the machine wrote to its console. */
  readonly console: string;
}

/** The booted machine. */
export class GuestMachine {
  /** The agent as controllers see it. */
  readonly guest: BridgeGuest;
  /** Folder of this machine. */
  readonly folder: string;
  /** Milliseconds from power-on to the agent's dial. */
  readonly bootTime: number;
  readonly #machine: Machine;
  readonly #ports: HostPorts;
  readonly #connection: GuestConnection;
  readonly #log: Promise<string>;

  private constructor(parts: {
    readonly folder: string;
    readonly bootTime: number;
    readonly machine: Machine;
    readonly ports: HostPorts;
    readonly connection: GuestConnection;
    readonly log: Promise<string>;
  }) {
    this.folder = parts.folder;
    this.bootTime = parts.bootTime;
    this.#machine = parts.machine;
    this.#ports = parts.ports;
    this.#connection = parts.connection;
    this.#log = parts.log;
    this.guest = new BridgeGuest(
      parts.connection,
      (port) => Promise.resolve(parts.ports.listen(port)),
    );
  }

  /** Switches a machine on and negotiates with its agent. */
  static async boot(image: Image, options: BootOptions): Promise<GuestMachine> {
    const folder = await Deno.makeTempDir({ dir: base, prefix: "machine-" });
    const ports = new HostPorts();
    const entropy = ports.listen(entropyPort);
    const logs = ports.listen(logPort);
    const bridge = ports.listen(bridgePort);
    const started = performance.now();
    const machine = await Machine.start({
      folder,
      ...image,
      commandLine: commandLine(options, ports.tcpPort),
      memory: 640,
      processors: 1,
    });
    try {
      const early = entropy.accept().then(async (stream) => {
        await stream.write(crypto.getRandomValues(new Uint8Array(512)));
        await stream.close();
      });
      const log = logs.accept().then(readText);
      const off = machine.off.then((code) => {
        throw new Error(`The machine went off with code ${code}`);
      });
      // Whoever waits for them is told; later they end with the listeners.
      for (const promise of [early, log, off]) promise.catch(() => {});
      const stream = await deadline(
        systemClock,
        bootLimit,
        "the agent's dial",
        () => Promise.race([bridge.accept(), off]),
      );
      const bootTime = Math.round(performance.now() - started);
      await early;
      const connection = await GuestConnection.open(stream, {
        log: silentLogger,
        clock: systemClock,
      });
      const parts = { folder, bootTime, machine, ports, connection, log };
      return new GuestMachine(parts);
    } catch (error) {
      const console = await machine.console();
      await machine.stop();
      await ports.close();
      throw new Error(`The machine did not boot:\n${console}`, {
        cause: error,
      });
    }
  }

  /** Plugs a disk in while the machine runs. */
  async attach(path: string, lun: number, readOnly: boolean): Promise<void> {
    const { monitor } = this.#machine;
    await monitor.command("blockdev-add", {
      "driver": "raw",
      "node-name": `disk${lun}`,
      "read-only": readOnly,
      "file": { driver: "file", filename: path },
    });
    await monitor.command("device_add", {
      "driver": "scsi-hd",
      "id": `lun${lun}`,
      "bus": "scsi0.0",
      "channel": 0,
      "scsi-id": 0,
      lun,
      "drive": `disk${lun}`,
    });
  }

  /** Pulls a disk out. */
  async detach(lun: number): Promise<void> {
    await this.#machine.monitor.command("device_del", { id: `lun${lun}` });
  }

  /** Adds or removes a resource of the machine. */
  modify(
    RequestType: "Add" | "Remove",
    ResourceType: string,
    Settings: JsonObject,
  ): Promise<void> {
    return this.guest.modify({ ResourceType, RequestType, Settings });
  }

  /** Runs a shell command in the machine itself. @returns Its output. */
  async run(command: string): Promise<string> {
    const process = await this.guest.execute(
      nullGuid,
      { CommandArgs: ["sh", "-c", command], WorkingDirectory: "/" },
      { stdin: false, stdout: true, stderr: false },
    );
    const text = await readText(process.stdout!);
    await process.close();
    await process.exited;
    return text.trim();
  }

  /**
   * Asks the agent to switch the machine off.
   *
   * @returns QEMU's exit code, and what agent and console said.
   */
  async shutDown(): Promise<MachineEnd> {
    const answer = this.#connection.call("ShutdownGraceful", nullGuid, {});
    answer.catch(() => {}); // the machine may be off before it answers
    return await this.#end();
  }

  /** Kills the agent, with which the machine must end. */
  async killAgent(): Promise<MachineEnd> {
    const process = await this.guest.execute(
      nullGuid,
      { CommandArgs: ["sh", "-c", "kill -9 $PPID"], WorkingDirectory: "/" },
      { stdin: false, stdout: false, stderr: false },
    );
    await Promise.allSettled([process.exited]); // the bridge is lost
    return await this.#end();
  }

  async #end(): Promise<MachineEnd> {
    const code = await deadline(
      systemClock,
      offLimit,
      "the end of the machine",
      () => this.#machine.off,
    );
    const console = await this.#machine.console();
    return { code, log: await this.#log, console };
  }

  /** Cuts the power and removes what was made. */
  async stop(): Promise<void> {
    await this.#connection.close();
    await this.#machine.stop();
    await this.#ports.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}
