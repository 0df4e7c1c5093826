/**
 * The simulated Windows host: compute service and Hyper-V sockets.
 *
 * @module
 */

import { type Clock, systemClock } from "../base/clock.ts";
import { type DuplexListener, listenerDuplex } from "../base/duplex.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import { newGuid } from "../base/guid.ts";
import type { Json } from "../base/json.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { EnumerationQuery } from "../hcs/documents.gen.ts";
import type {
  ComputeHost,
  ComputeSystem,
  ComputeSystemSummary,
  GuestSockets,
  HostNetwork,
} from "../hcs/ports.ts";
import { ControlGroup } from "./control_group.ts";
import { exclusively } from "./exclusive.ts";
import type { GuestProgram } from "./guest_program.ts";
import { type CgroupLayout, probeCgroups } from "./hierarchies.ts";
import { refusal } from "./hresults.ts";
import { Machine } from "./machine.ts";
import { HandleCount, RemoteHandle } from "./machine_handle.ts";
import { type MachinePlan, planMachine } from "./machine_plan.ts";
import { mountTable } from "./mount_table.ts";
import { simulatedNetwork } from "./network.ts";
import { RemotePresence } from "./presence.ts";
import { identify, isAlive, type ProcessIdentity } from "./process_identity.ts";
import { hostProperties, readQuery } from "./properties.ts";
import { forgetMachine, reapFolder, releaseMachine } from "./reap.ts";
import { groupName, type StateFolders, vmFolder } from "./state.ts";
import {
  liveRecords,
  machineFolders,
  readRecord,
  type SystemRecord,
  writeRecord,
} from "./system_record.ts";

/** How a {@linkcode SimulatedHost} is made. */
export interface SimulatedHostOptions {
  /** Where its state is. */
  readonly state: StateFolders;
  /** What runs in its machines. */
  readonly guest: GuestProgram;
  /** Control groups of the machines; default is what this computer has. */
  readonly layout?: CgroupLayout;
  /** Source of time. */
  readonly clock?: Clock;
  /** Takes what cannot be told to a caller. */
  readonly log?: Logger;
}

/** Places of a machine in its folder: sockets, and where its root is built. */
const subfolders = ["v", "m"];

const mebibyte = 1024 * 1024;

interface Owned {
  readonly machine: Machine;
  readonly handles: HandleCount;
}

/**
 * A Windows host on a Linux machine: compute systems are guest agents in
 * namespaces of their own, Hyper-V sockets are Unix sockets. The state is in
 * folders, so that several processes see the same host.
 */
export class SimulatedHost implements ComputeHost, GuestSockets {
  readonly #state: StateFolders;
  readonly #guest: GuestProgram;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #network: HostNetwork;
  readonly #processors = navigator.hardwareConcurrency;
  /** The machines of this process that have not ended, by id. */
  readonly #machines = new Map<string, Owned>();
  #layout: Promise<CgroupLayout> | undefined;
  #self: Promise<ProcessIdentity> | undefined;

  /**
   * Makes a host of what its state folders hold; nothing is read yet.
   *
   * @param options Where its state is, and what runs in its machines.
   */
  constructor(options: SimulatedHostOptions) {
    this.#state = options.state;
    this.#guest = options.guest;
    if (options.layout) this.#layout = Promise.resolve(options.layout);
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#network = simulatedNetwork(options.state.networks);
  }

  /**
   * Creates a machine.
   *
   * @throws {HResultError} InvalidJson naming the path of what is wrong in the
   * document, AlreadyExists when the id is taken. Nothing is left behind.
   */
  async create(
    id: string,
    document: Json,
    signal?: AbortSignal,
  ): Promise<ComputeSystem> {
    if (id === "") throw refusal("invalidValue", "The id is empty");
    const plan = planMachine(document, this.#processors);
    await requireFiles(plan.files);
    this.#layout ??= probeCgroups();
    const layout = await this.#layout;
    signal?.throwIfAborted();
    const record: SystemRecord = {
      id,
      owner: plan.owner,
      runtimeId: newGuid(),
      process: await this.#identity(),
      state: "Created",
      cgroup: { name: await groupName(this.#state, id), layout },
      loops: [],
    };
    const folder = await vmFolder(this.#state, id);
    await exclusively(this.#state.vms, async () => {
      await this.#reap(folder, id);
      await Deno.mkdir(folder, { mode: 0o700 });
      await writeRecord(folder, record);
    });
    try {
      return await this.#make(plan, folder, record, signal);
    } catch (error) {
      await this.#undo(folder, record);
      throw error;
    }
  }

  /** Who this process is; the owner of its machines. */
  #identity(): Promise<ProcessIdentity> {
    this.#self ??= identify(Deno.pid).then((self) => {
      if (self !== undefined) return self;
      throw new ShimError("Internal", "This process is not in /proc");
    });
    return this.#self;
  }

  /** Removes what crashed owners left. The folder is free afterwards. */
  async #reap(folder: string, id: string): Promise<void> {
    for (const other of await machineFolders(this.#state.vms)) {
      if (other === folder) continue;
      try {
        await reapFolder(other, this.#clock);
      } catch (error) {
        this.#log.warn("Left-over machine could not be removed", {
          folder: other,
          error: messageOf(error),
        });
      }
    }
    const owner = await reapFolder(folder, this.#clock);
    if (owner === undefined) return;
    throw refusal(
      "systemExists",
      `Cannot create "${id}": "${owner.owner}" (process ${owner.process.pid}) has "${owner.id}"`,
    );
  }

  async #make(
    plan: MachinePlan,
    folder: string,
    record: SystemRecord,
    signal: AbortSignal | undefined,
  ): Promise<ComputeSystem> {
    const { layout, name } = record.cgroup;
    for (const subfolder of subfolders) {
      await Deno.mkdir(`${folder}/${subfolder}`, { mode: 0o700 });
    }
    await Deno.writeTextFile(
      `${folder}/fstab`,
      mountTable(folder, layout, this.#guest.shared),
    );
    const group = new ControlGroup(layout, name);
    await group.make();
    await group.limitMemory(plan.memory * mebibyte);
    if (plan.processors < this.#processors) {
      await group.limitCpu(plan.processors);
    }
    signal?.throwIfAborted();
    const machine = new Machine(
      {
        state: this.#state,
        guest: this.#guest,
        network: this.#network,
        clock: this.#clock,
        log: this.#log,
      },
      plan,
      folder,
      record,
      group,
    );
    const owned = { machine, handles: new HandleCount(machine) };
    this.#machines.set(record.id, owned);
    machine.exited.then(() => {
      if (this.#machines.get(record.id) === owned) {
        this.#machines.delete(record.id);
      }
    });
    return owned.handles.open();
  }

  async #undo(folder: string, record: SystemRecord): Promise<void> {
    try {
      await releaseMachine(record, this.#clock);
      await forgetMachine(this.#state, folder);
    } catch (error) {
      this.#log.warn("What a failed create made could not be removed", {
        folder,
        error: messageOf(error),
      });
    }
  }

  /** Opens a machine of this or another process. @throws {HResultError} NotFound class when there is none. */
  async open(id: string): Promise<ComputeSystem> {
    const owned = this.#machines.get(id);
    if (owned?.machine.lives) return owned.handles.open();
    const folder = await vmFolder(this.#state, id);
    const record = await readRecord(folder);
    if (record?.id === id && await isAlive(record.process)) {
      const presence = await RemotePresence.connect(folder);
      if (presence !== undefined) {
        return new RemoteHandle(record, folder, presence, this.#clock);
      }
    }
    throw refusal("noSuchSystem", `Cannot open "${id}"`);
  }

  /** Lists the machines of all processes. */
  async enumerate(query: Json): Promise<ComputeSystemSummary[]> {
    const { Ids, Owners, Types, Names } = readQuery(EnumerationQuery, query);
    const passes = (filter: string[] | undefined, value: string): boolean =>
      !filter?.length || filter.includes(value);
    const records = await liveRecords(this.#state.vms);
    return records.filter(({ id, owner }) =>
      passes(Ids, id) && passes(Names, id) && passes(Owners, owner) &&
      passes(Types, "VirtualMachine")
    ).map(({ id, owner, runtimeId, state }) => ({
      Id: id,
      Owner: owner,
      RuntimeId: runtimeId,
      State: state,
    }));
  }

  /** Answers `ProcessorTopology`. */
  // deno-lint-ignore require-await -- a bad query is a rejection, not a throw
  async serviceProperties(query: Json): Promise<Json> {
    return hostProperties(query, this.#processors);
  }

  /** Checks machine and file; the machine may read all files anyway. */
  async grantAccess(vmId: string, path: string): Promise<void> {
    await this.#requireMachine(vmId);
    await requireFiles([path]);
  }

  /** Checks the machine. */
  async revokeAccess(vmId: string): Promise<void> {
    await this.#requireMachine(vmId);
  }

  async #requireMachine(vmId: string): Promise<void> {
    const records = await liveRecords(this.#state.vms);
    const lower = vmId.toLowerCase();
    if (records.some((it) => it.id === vmId || it.runtimeId === lower)) return;
    throw refusal("noSuchVm", `There is no virtual machine "${vmId}"`);
  }

  /**
   * Listens for a machine of this process.
   *
   * @throws {ShimError} NotFound when there is no such machine, AlreadyExists
   * when the port is taken.
   */
  // deno-lint-ignore require-await -- an unknown machine is a rejection, not a throw
  async listen(runtimeId: string, port: number): Promise<DuplexListener> {
    const lower = runtimeId.toLowerCase();
    const owned = [...this.#machines.values()].find(({ machine }) =>
      machine.lives && machine.record.runtimeId === lower
    );
    if (owned === undefined) {
      throw new ShimError(
        "NotFound",
        `Cannot listen on port ${port}: no virtual machine "${runtimeId}" in this process`,
      );
    }
    if (!Number.isInteger(port) || port < 1 || port >= 0xffff_ffff) {
      throw new ShimError("InvalidArgument", `${port} is no vsock port`);
    }
    const path = `${owned.machine.folder}/v/${port}`;
    try {
      return listenerDuplex(Deno.listen({ transport: "unix", path }));
    } catch (cause) {
      if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
      throw new ShimError(
        "AlreadyExists",
        `Cannot listen on port ${port} of "${owned.machine.record.id}": it is taken`,
        { cause },
      );
    }
  }
}

/** @throws {HResultError} ERROR_FILE_NOT_FOUND naming the file that is missing. */
async function requireFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await Deno.stat(path);
    } catch (cause) {
      throw refusal("fileNotFound", `Cannot use "${path}"`, { cause });
    }
  }
}
