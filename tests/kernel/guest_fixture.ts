/**
 * The guest agent in a private view of this machine, driven over its bridge as
 * a host does.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { systemClock } from "../../base/clock.ts";
import type { Duplex, DuplexListener } from "../../base/duplex.ts";
import { nullGuid } from "../../base/guid.ts";
import type { JsonObject } from "../../base/json.ts";
import { silentLogger } from "../../base/log.ts";
import { GuestConnection } from "../../bridge/connection.ts";
import { BridgeGuest, type GuestProcess } from "../../bridge/guest.ts";
import { toolEnv } from "../debian.ts";
import { namesIn } from "../processes.ts";
import { removeGroup } from "./groups.ts";
import { makeImage } from "./guest_image.ts";
import { listen } from "./guest_streams.ts";
import { AgentLog, Endings } from "./guest_tap.ts";

export * from "./guest_streams.ts";

const project = new URL("../../", import.meta.url).pathname;
const script = new URL("./guest_vm.sh", import.meta.url).pathname;

/** Port of the bridge. */
const bridgePort = 0x4000_0000;

const controllers = [
  ..."cpu cpuacct cpuset memory devices freezer blkio pids systemd".split(" "),
];

/** True as root on a machine with version 1 control groups. */
export async function canRun(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  try {
    return (await Deno.stat("/sys/fs/cgroup/memory")).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * True where the guest cannot run, which is told.
 *
 * @param what The tests that are skipped.
 */
export async function mustSkip(what: string): Promise<boolean> {
  if (await canRun()) return false;
  console.log(`skip: ${what}: need root and version 1 control groups`);
  return true;
}

/** What a container is made of. */
export interface TestContainer {
  /** Its id. */
  readonly id: string;
  /** What its init runs. */
  readonly args: readonly string[];
  /** It has a terminal. */
  readonly terminal?: boolean;
  /** Annotations. */
  readonly annotations?: Record<string, string>;
  /** Members of the specification that replace the usual ones. */
  readonly spec?: JsonObject;
  /** Folder of the pod; the id itself when absent. */
  readonly pod?: string;
}

/** One agent. */
export class GuestVm {
  #guest: BridgeGuest;
  /** Folder of this test: sockets, layers, `bin` with programs of the VM. */
  readonly folder: string;
  /** The agent's process, as this machine sees it. */
  readonly pid: number;
  readonly #name: string;
  #connection: GuestConnection;
  readonly #child: Deno.ChildProcess;
  /** What the agent logs. */
  readonly log: AgentLog;
  /** How its containers ended. */
  readonly endings: Endings;
  readonly #listener: DuplexListener;
  #lun = 0;

  private constructor(parts: {
    readonly name: string;
    readonly folder: string;
    readonly pid: number;
    readonly child: Deno.ChildProcess;
    readonly log: AgentLog;
    readonly endings: Endings;
    readonly listener: DuplexListener;
    readonly connection: GuestConnection;
  }) {
    this.#name = parts.name;
    this.folder = parts.folder;
    this.pid = parts.pid;
    this.#child = parts.child;
    this.log = parts.log;
    this.endings = parts.endings;
    this.#listener = parts.listener;
    this.#connection = parts.connection;
    this.#guest = this.#over(parts.connection, 0x4000_0001);
  }

  /** The agent as controllers see it. */
  get guest(): BridgeGuest {
    return this.#guest;
  }

  /** The bridge itself. */
  get connection(): GuestConnection {
    return this.#connection;
  }

  #over(connection: GuestConnection, firstPort: number): BridgeGuest {
    return new BridgeGuest(
      connection,
      (port) => Promise.resolve(listen(`${this.folder}/${port}`)),
      { firstPort },
    );
  }

  /** Loses the bridge; the agent comes back, and a new host takes over. */
  async reconnect(): Promise<void> {
    await this.#connection.close();
    this.#connection = await GuestConnection.open(
      this.endings.tap(await this.#listener.accept()),
      { log: silentLogger, clock: systemClock },
    );
    this.#guest = this.#over(this.#connection, 0x5000_0000);
  }

  /** Ends the VM. @returns The exit code of the agent. */
  async shutDown(): Promise<number> {
    const answer = this.#connection.call("ShutdownForced", nullGuid, {});
    await Promise.allSettled([answer]); // the VM may be gone before it answers
    return (await this.#child.status).code;
  }

  /**
   * Starts an agent and negotiates.
   *
   * @param flags Further flags of the agent.
   * @param runtime Script that stands in for `crun`.
   */
  static async start(
    flags: readonly string[] = [],
    runtime?: string,
  ): Promise<GuestVm> {
    const folder = await Deno.makeTempDir({ prefix: "guest-" });
    if (runtime !== undefined) {
      await Deno.mkdir(`${folder}/bin`);
      const path = `${folder}/bin/crun`;
      await Deno.writeTextFile(path, runtime, { mode: 0o755 });
    }
    const name = `lcow-${folder.slice(folder.lastIndexOf("/") + 1)}`;
    const listener = listen(`${folder}/${bridgePort}`);
    const env = await toolEnv();
    const child = new Deno.Command("bash", {
      args: [
        ...[script, name, folder, Deno.execPath(), "run", "-q", "-A"],
        ...["--no-check", "--cached-only", "--no-lock", "--no-prompt"],
        ...["--unstable-vsock", `${project}guest/main.ts`, "-v4"],
        ...flags,
      ],
      env: {
        ...env,
        PATH: `${folder}/bin:${env.PATH}`,
        LCOW_VSOCK_DIR: folder,
        NO_COLOR: "1",
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log = new AgentLog(child.stderr);
    const ended = child.status.then(async () => {
      throw new Error(`The agent ended: ${await log.text}`);
    });
    ended.catch(() => {});
    const stream = await Promise.race([listener.accept(), ended]);
    const endings = new Endings();
    const connection = await GuestConnection.open(endings.tap(stream), {
      log: silentLogger,
      clock: systemClock,
    });
    const pid = await childOf(child.pid);
    return new GuestVm({
      ...{ name, folder, pid, child, log, endings, listener, connection },
    });
  }

  /** A path of the agent's view as this machine sees it. */
  path(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  /** Attaches a directory as a disk. @returns Its LUN. */
  async attach(directory: string): Promise<number> {
    const lun = this.#lun++;
    const name = `sd${String.fromCharCode(97 + lun)}`;
    await Deno.symlink(directory, this.path(`/dev/${name}`));
    const device = `/sys/bus/scsi/devices/0:0:0:${lun}`;
    await Deno.mkdir(this.path(`${device}/block/${name}`), { recursive: true });
    await Deno.writeTextFile(this.path(`${device}/delete`), "");
    return lun;
  }

  /** A folder with a root file system made of busybox. */
  image(): Promise<string> {
    return this.#image ??= makeImage(`${this.folder}/image`);
  }

  /** Layers and scratch of a container, combined at its root. */
  async layers(container: TestContainer): Promise<JsonObject> {
    const { id, pod = id } = container;
    const lun = await this.attach(await this.image());
    const scratch = `${this.folder}/scratch-${id}`;
    await Deno.mkdir(scratch);
    const scratchLun = await this.attach(scratch);
    const add = (ResourceType: string, Settings: JsonObject): Promise<void> =>
      this.guest.modify({ ResourceType, RequestType: "Add", Settings });
    await add("MappedVirtualDisk", {
      MountPath: `/run/mounts/scsi/0_${lun}_0`,
      Lun: lun,
      ReadOnly: true,
      Options: ["ro"],
    });
    await add("MappedVirtualDisk", {
      MountPath: `/run/mounts/scsi/0_${scratchLun}_0`,
      Lun: scratchLun,
      EnsureFilesystem: true,
      Filesystem: "ext4",
    });
    const settings = {
      ContainerID: id,
      ContainerRootPath: `/run/gcs/pods/${pod}/${id}/rootfs`,
      Layers: [{ Path: `/run/mounts/scsi/0_${lun}_0` }],
      ScratchPath: `/run/mounts/scsi/0_${scratchLun}_0/scratch/${pod}/${id}`,
    };
    await add("CombinedLayers", settings);
    return settings;
  }

  #image: Promise<string> | undefined;

  /** Creates a container with its own layers. */
  async create(container: TestContainer): Promise<void> {
    const settings = await this.layers(container);
    await this.createOn(container, String(settings.ScratchPath));
  }

  /** Creates a container whose layers are there. */
  async createOn(container: TestContainer, scratch: string): Promise<void> {
    const { id, pod = id, args, annotations } = container;
    await this.guest.createContainer(id, {
      SchemaVersion: { Major: 2, Minor: 1 },
      OciBundlePath: `/run/gcs/pods/${pod}/${id}`,
      ScratchDirPath: scratch,
      OciSpecification: {
        ociVersion: "1.1.0",
        process: {
          terminal: container.terminal ?? false,
          user: { uid: 0, gid: 0 },
          args: [...args],
          env: ["PATH=/bin", "HOME=/", "TERM=xterm"],
          cwd: "/",
        },
        root: { path: `/run/gcs/pods/${pod}/${id}/rootfs` },
        ...(annotations && { annotations }),
        mounts: [
          { destination: "/proc", type: "proc", source: "proc" },
          { destination: "/dev", type: "tmpfs", source: "tmpfs" },
          {
            destination: "/dev/pts",
            type: "devpts",
            source: "devpts",
            options: ["newinstance", "ptmxmode=0666"],
          },
        ],
        linux: {
          namespaces: ["pid", "ipc", "uts", "mount", "network"]
            .map((type) => ({ type })),
        },
        ...container.spec,
      },
    });
  }

  /** Starts the init of a container. */
  start(
    id: string,
    stdio = { stdin: false, stdout: true, stderr: true },
  ): Promise<GuestProcess> {
    return this.guest.execute(id, {}, stdio);
  }

  /** Runs a further process in a container. */
  exec(
    id: string,
    args: readonly string[],
    stdio = { stdin: false, stdout: true, stderr: true },
    process: JsonObject = {},
  ): Promise<GuestProcess> {
    return this.guest.execute(id, {
      OciProcess: {
        args: [...args],
        cwd: "/",
        env: ["PATH=/bin"],
        user: { uid: 0, gid: 0 },
        ...process,
      },
    }, stdio);
  }

  /** Takes a container's layers apart and forgets it. */
  async remove(container: TestContainer): Promise<void> {
    const { id, pod = id } = container;
    await this.guest.modify({
      ResourceType: "CombinedLayers",
      RequestType: "Remove",
      Settings: { ContainerRootPath: `/run/gcs/pods/${pod}/${id}/rootfs` },
    });
    await this.guest.deleteContainerState(id);
  }

  /** What is left in the agent's view: mounts, groups, processes, zombies. */
  async leftovers(): Promise<string[]> {
    const mounts = await Deno.readTextFile(`/proc/${this.pid}/mounts`);
    const places = mounts.split("\n").map((line) => line.split(" ")[1] ?? "")
      .filter((place) => place.startsWith("/run/gcs"));
    const groups = await foldersIn(this.path("/sys/fs/cgroup/memory/pods"));
    const processes = await new Deno.Command("ps", {
      args: ["-o", "pid=,stat=,comm=", "--ppid", `${this.pid}`],
    }).output();
    const children = new TextDecoder().decode(processes.stdout).trim();
    const files = await namesIn(this.path("/run/gcs/pods"));
    const runtime = await namesIn(this.path("/run/gcsrunc"));
    return [
      ...places,
      ...groups,
      ...(children === "" ? [] : [children]),
      ...files,
      ...runtime,
    ];
  }

  /** The bytes of a raw second connection, as a hostile host sends them. */
  async raw(): Promise<{ stream: Duplex; next: () => Promise<Duplex> }> {
    await this.#connection.close();
    const stream = await this.#listener.accept();
    return { stream, next: () => this.#listener.accept() };
  }

  /** Ends the agent and asserts that nothing is left on this machine. */
  async stop(): Promise<string> {
    await this.#connection.close();
    await this.#listener.close();
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await this.#child.status;
    const log = await this.log.text;
    for (const controller of controllers) {
      await removeGroup(`/sys/fs/cgroup/${controller}/${this.#name}`);
    }
    const mounts = await Deno.readTextFile("/proc/self/mounts");
    assertEquals(mounts.includes(this.folder), false, "mounts are left");
    await Deno.remove(this.folder, { recursive: true });
    return log;
  }
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name);
}

/** The first child of a process. */
async function childOf(pid: number): Promise<number> {
  const path = `/proc/${pid}/task/${pid}/children`;
  return Number((await Deno.readTextFile(path)).trim().split(" ")[0]);
}
