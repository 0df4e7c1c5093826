/**
 * Machines of a simulated host in a state folder of their own, for tests.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { type Duplex, readFull } from "../../base/duplex.ts";
import { HResultError } from "../../base/hresult.ts";
import type { Json } from "../../base/json.ts";
import type {
  ComputeHost,
  ComputeSystem,
  GuestSockets,
} from "../../hcs/ports.ts";
import { jsonLogger } from "../../base/log.ts";
import { guestProgram } from "../../sim/guest_program.ts";
import type { CgroupLayout } from "../../sim/hierarchies.ts";
import { SimulatedHost } from "../../sim/simulated_host.ts";
import { groupPrefix, stateFolders } from "../../sim/state.ts";
import { namesIn } from "../processes.ts";

/** The first SCSI controller of test documents. */
export const controller = "df6d0690-79e5-55b6-a5ec-c1e2f77f580a";

const projectRoot = new URL("../../", import.meta.url).pathname;

/** `LCOW_SIM_GUEST` of tests: `sim_guest.ts`. */
export const testGuest: string = JSON.stringify([
  Deno.execPath(),
  "run",
  ...["-q", "--no-prompt", "--cached-only", "--no-lock", "--no-check"],
  ...["--no-config", "-A", `${projectRoot}tests/kernel/sim_guest.ts`],
]);

/** A document like the ones that the shim writes. */
export function machineDocument(
  options: { memory?: number; processors?: number; attachments?: Json } = {},
): Json {
  const boot = `${projectRoot}sim/boot`;
  return {
    Owner: "sim-test",
    SchemaVersion: { Major: 2, Minor: 1 },
    ShouldTerminateOnLastHandleClosed: true,
    VirtualMachine: {
      StopOnReset: true,
      Chipset: {
        LinuxKernelDirect: {
          KernelFilePath: `${boot}/vmlinux`,
          InitRdPath: `${boot}/initrd.img`,
          KernelCmdLine:
            "panic=-1 quiet -- -e 1 /bin/vsockexec -e 109 /bin/gcs -v4 -log-format json",
        },
      },
      ComputeTopology: {
        Memory: { SizeInMB: options.memory ?? 1024, AllowOvercommit: true },
        Processor: { Count: options.processors ?? 1 },
      },
      Devices: {
        Scsi: {
          [controller]: options.attachments === undefined
            ? {}
            : { Attachments: options.attachments },
          "0110f83b-de10-5172-a266-78bca56bf50a": {},
        },
        HvSocket: {
          HvSocketConfig: {
            DefaultBindSecurityDescriptor: "D:P(A;;FA;;;SY)(A;;FA;;;BA)",
          },
        },
        Plan9: {},
      },
    },
  };
}

/** A request that changes a place of the first SCSI controller. */
export function scsi(
  lun: number,
  type: "Add" | "Remove",
  settings?: Json,
): Json {
  return {
    ResourcePath:
      `VirtualMachine/Devices/Scsi/${controller}/Attachments/${lun}`,
    RequestType: type,
    ...(settings === undefined ? {} : { Settings: settings }),
  };
}

/** Asserts that a call is refused with an HRESULT. */
export async function refused(
  action: () => Promise<unknown>,
  hresult: number,
  text = "",
): Promise<void> {
  const error = await assertRejects(action, HResultError, text) as HResultError;
  assertEquals(error.hresult.toString(16), hresult.toString(16), error.message);
}

/** Reads a stream to its end. */
async function readAll(stream: Duplex): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  for (let n; (n = await stream.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
  return text;
}

/** A booted machine with `sim_guest.ts` in it. */
export class TestMachine {
  readonly system: ComputeSystem;
  /** Everything that came on the log port, at its end. */
  readonly log: Promise<string>;
  readonly #bridge: Duplex;

  constructor(system: ComputeSystem, log: Duplex, bridge: Duplex) {
    this.system = system;
    this.#bridge = bridge;
    this.log = readAll(log).finally(() => log.close());
  }

  /** Serves the early dials as a host does, and waits for the guest. */
  static async boot(
    sockets: GuestSockets,
    system: ComputeSystem,
    entropy = 512,
  ): Promise<TestMachine> {
    const [first, second, third] = await Promise.all(
      [1, 109, 0x40000000].map((port) =>
        sockets.listen(system.runtimeId, port)
      ),
    );
    await system.start();
    const seed = await first!.accept();
    await seed.write(crypto.getRandomValues(new Uint8Array(entropy)));
    await seed.close();
    await first!.close();
    const log = await second!.accept();
    await second!.close();
    const machine = third!.accept().then((bridge) =>
      new TestMachine(system, log, bridge)
    );
    const failed = system.exited.then(async () => {
      throw new Error(`The machine ended: ${await readAll(log)}`);
    });
    failed.catch(() => {});
    try {
      return await Promise.race([machine, failed]);
    } finally {
      machine.catch(() => log.close());
      await third!.close();
    }
  }

  async #line(): Promise<string> {
    const decoder = new TextDecoder();
    const byte = new Uint8Array(1);
    let text = "";
    while (await readFull(this.#bridge, byte)) {
      const char = decoder.decode(byte, { stream: true });
      if (char === "\n") return text;
      text += char;
    }
    return text;
  }

  /** The arguments that the guest got. Once, first. */
  async arguments(): Promise<string[]> {
    return JSON.parse(await this.#line());
  }

  /** Says something to the guest without waiting for an answer. */
  async say(line: string): Promise<void> {
    await this.#bridge.write(new TextEncoder().encode(line + "\n"));
  }

  /** Runs a shell command in the guest, which must succeed; its output. */
  async sh(script: string): Promise<string> {
    await this.say(script);
    const { code, output } = JSON.parse(await this.#line());
    assertEquals(code, 0, `${script}: ${output}`);
    return output.trim();
  }

  /** Ends it and lets everything go. */
  async end(): Promise<void> {
    await this.system.close();
    await this.#bridge.close();
    await this.log;
  }
}

/** A state folder with a host in it. */
export interface Lab {
  /** The folder of the test; the state is in `state` below. */
  readonly dir: string;
  /** The host. */
  readonly host: SimulatedHost;
  /** What the host logged. A test takes out what it expects; no more may be left. */
  readonly logged: string[];
  /** A further host on the same state, as another process has it. */
  another(guest?: string): Promise<SimulatedHost>;
  /** Creates and boots a machine. */
  boot(
    id: string,
    document?: Json,
    compute?: ComputeHost,
  ): Promise<TestMachine>;
}

/** Runs a test in a state folder of its own; at the end nothing may be left. */
export async function inLab(
  test: (lab: Lab) => Promise<void>,
  layout?: CgroupLayout,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "lcow-sim-" });
  const logged: string[] = [];
  const another = async (guest = testGuest): Promise<SimulatedHost> =>
    new SimulatedHost({
      state: stateFolders(`${dir}/state`),
      guest: await guestProgram((name) =>
        name === "LCOW_SIM_GUEST" ? guest : Deno.env.get(name)
      ),
      log: jsonLogger((line) => logged.push(line)),
      ...(layout === undefined ? {} : { layout }),
    });
  const host = await another();
  try {
    await test({
      dir,
      host,
      logged,
      another,
      boot: async (id, document = machineDocument(), compute = host) => {
        const system = await compute.create(id, document);
        const machine = await TestMachine.boot(host, system);
        assertEquals(await machine.arguments(), ["-v4", "-log-format", "json"]);
        return machine;
      },
    });
    assertEquals([...logged, ...await leftOf(dir)], []);
  } finally {
    await endAll(host);
    await Deno.remove(dir, { recursive: true });
  }
}

/** Ends what a failed test left running. */
async function endAll(host: SimulatedHost): Promise<void> {
  for (const { Id } of await host.enumerate({})) {
    const system = await host.open(Id);
    await system.terminate();
    await system.exited;
    await system.close();
  }
}

async function readOr(path: string, otherwise = ""): Promise<string> {
  return await Deno.readTextFile(path).catch(() => otherwise);
}

/** Processes that have a folder in their command line, and live. */
export async function processesOf(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await namesIn("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const command = (await readOr(`/proc/${pid}/cmdline`)).replaceAll(
      "\0",
      " ",
    );
    if (command.includes(dir)) found.push(`process ${pid} ${command}`);
  }
  return found;
}

async function filesOf(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await namesIn(dir)) {
    const path = `${dir}/${name}`;
    const { isDirectory } = await Deno.lstat(path);
    found.push(...isDirectory ? await filesOf(path) : [`file ${path}`]);
  }
  return found;
}

/** Images below a folder that are loop devices. */
export async function loopsOf(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await namesIn("/sys/block")) {
    const file = await readOr(`/sys/block/${name}/loop/backing_file`);
    if (file.startsWith(`${dir}/`)) found.push(`loop ${name} ${file.trim()}`);
  }
  return found;
}

/**
 * Everything that is left of the machines of a lab. The kernel clears loop
 * devices a moment after their last mount is gone, without an event.
 */
async function leftOf(dir: string): Promise<string[]> {
  for (let turn = 0; turn < 100 && (await loopsOf(dir)).length > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const mounts = (await Deno.readTextFile("/proc/self/mountinfo")).split("\n")
    .filter((line) => line.includes(dir)).map((line) => `mount ${line}`);
  return [
    ...await processesOf(dir),
    ...mounts,
    ...await loopsOf(dir),
    ...await filesOf(`${dir}/state`),
    ...await groupsOf(dir),
  ];
}

/** Control groups of the machines of a test. */
async function groupsOf(dir: string): Promise<string[]> {
  const prefix = await groupPrefix(stateFolders(`${dir}/state`));
  const found: string[] = [];
  for (const top of await namesIn("/sys/fs/cgroup")) {
    const groups = await namesIn(`/sys/fs/cgroup/${top}/lcow`)
      .catch(() => []);
    found.push(
      ...groups.filter((name) => name.startsWith(prefix)).map((name) =>
        `group ${top}/lcow/${name}`
      ),
    );
  }
  return found;
}
