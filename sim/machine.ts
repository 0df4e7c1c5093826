/**
 * One simulated virtual machine of this process: its life from creation to the
 * removal of everything that it occupied.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { messageOf } from "../base/errors.ts";
import { HResult } from "../base/hresult.ts";
import type { Json } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { SerialQueue } from "../base/queue.ts";
import { defineStates } from "../base/states.ts";
import type { ExitInfo, HostNetwork } from "../hcs/ports.ts";
import type { ControlGroup } from "./control_group.ts";
import { dialLog, initLine, relayLog, takeEntropy } from "./early_dials.ts";
import type { GuestProgram } from "./guest_program.ts";
import { linkJoined } from "./hierarchies.ts";
import { refusal } from "./hresults.ts";
import type { MachinePlan } from "./machine_plan.ts";
import { machineResources } from "./machine_resources.ts";
import { modifyMachine, type Resources } from "./modify.ts";
import { NetworkBus } from "./network_bus.ts";
import { Presence } from "./presence.ts";
import { machineProperties } from "./properties.ts";
import { forgetMachine, releaseMachine } from "./reap.ts";
import { ScsiBus } from "./scsi_bus.ts";
import type { StateFolders } from "./state.ts";
import { type SystemRecord, writeRecord } from "./system_record.ts";
import { type VmEnd, VmProcess } from "./vm_process.ts";

/** Life cycle of a simulated machine. */
export const machineStates = defineStates("simulated machine", "Created", [
  ["Created", "start", "Starting"],
  ["Starting", "run", "Running"],
  ["Created", "end", "Stopped"],
  ["Starting", "end", "Stopped"],
  ["Running", "end", "Stopped"],
]);

/** What a machine needs of its host. */
export interface MachineHost {
  /** Where the state is. */
  readonly state: StateFolders;
  /** What runs in machines. */
  readonly guest: GuestProgram;
  /** Knows the endpoints of network adapters. */
  readonly network: HostNetwork;
  /** Source of time. */
  readonly clock: Clock;
  /** Takes what cannot be told to a caller. */
  readonly log: Logger;
}

const forced: ExitInfo = { status: 0, exitType: "ForcedExit" };
const graceful: ExitInfo = { status: 0, exitType: "GracefulExit" };
const unexpected: ExitInfo = {
  status: HResult.UnexpectedExit,
  exitType: "UnexpectedExit",
};

/** A kill comes only from outside; SIGINT is how the kernel reports a power-off from inside. */
function exitOf({ signal }: VmEnd): ExitInfo {
  if (signal === "SIGKILL") return forced;
  return signal === "SIGINT" ? graceful : unexpected;
}

/** A machine whose folder, record and control groups exist. */
export class Machine {
  /** The machine's folder. */
  readonly folder: string;
  /** Settles when the machine has ended and nothing of it is left. */
  readonly exited: Promise<ExitInfo>;
  readonly #host: MachineHost;
  readonly #plan: MachinePlan;
  readonly #group: ControlGroup;
  readonly #presence: Presence;
  readonly #scsi: ScsiBus;
  readonly #adapters: NetworkBus;
  readonly #resources: Resources;
  readonly #state;
  readonly #changes = new SerialQueue();
  readonly #ended = Promise.withResolvers<ExitInfo>();
  readonly #stop = new AbortController();
  #record: SystemRecord;
  #vm: VmProcess | undefined;
  #entropy: Promise<void> | undefined;
  #terminated = false;

  /**
   * @param folder Holds the record, `fstab`, `m` and `v`.
   * @param group Exists.
   */
  constructor(
    host: MachineHost,
    plan: MachinePlan,
    folder: string,
    record: SystemRecord,
    group: ControlGroup,
  ) {
    this.#host = host;
    this.#plan = plan;
    this.folder = folder;
    this.#record = record;
    this.#group = group;
    this.#state = machineStates.begin(`compute system "${record.id}"`);
    this.#presence = new Presence(
      folder,
      () => this.terminate(),
      (error) => this.#report(error),
    );
    this.#scsi = new ScsiBus(
      plan.controllers,
      (loops) => this.#write({ loops }),
    );
    this.#adapters = new NetworkBus(host.network);
    this.#resources = machineResources(
      this.#scsi,
      this.#adapters,
      group,
      plan.processors,
    );
    this.exited = this.#ended.promise;
  }

  /** Its record as other processes see it. */
  get record(): SystemRecord {
    return this.#record;
  }

  /** False once it has ended. */
  get lives(): boolean {
    return !this.#state.is("Stopped");
  }

  /** @throws {HResultError} unless it is in this state. */
  #require(state: "Created" | "Running", action: string): void {
    if (this.#state.is(state)) return;
    const { message } = this.#state.refusal(action);
    throw refusal(this.lives ? "wrongState" : "systemStopped", message);
  }

  async #write(change: Partial<SystemRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await writeRecord(this.folder, this.#record);
  }

  /**
   * Boots it: resolves when its root stands and its disks are there. Its init
   * then goes on by itself, as it does on real hardware.
   *
   * @throws {HResultError} When the state forbids it or the boot fails; the
   * machine has ended then.
   */
  async start(signal?: AbortSignal): Promise<void> {
    this.#require("Created", "start");
    this.#state.to("start");
    const stop = this.#stop.signal;
    const either = signal === undefined
      ? stop
      : AbortSignal.any([signal, stop]);
    try {
      await this.#boot(either);
      this.#state.to("run");
    } catch (error) {
      await this.#vm?.discard();
      await this.#end(this.#terminated ? forced : unexpected);
      if (either.aborted) throw either.reason;
      throw refusal(
        "bootFailed",
        `Cannot start "${this.#record.id}": ${messageOf(error)}`,
        { cause: error },
      );
    }
    const vm = this.#vm!;
    this.#init(vm).catch((error) => this.#report(error));
  }

  async #boot(signal: AbortSignal): Promise<void> {
    const { guest, clock } = this.#host;
    const { entropyPort, agentArguments } = this.#plan.guest;
    await this.#write({ state: "Running", startedAt: clock.now() });
    if (entropyPort !== undefined) {
      this.#entropy = takeEntropy(
        this.folder,
        entropyPort,
        this.#stop.signal,
      );
      // Looked at when the root stands.
      this.#entropy.catch(() => {});
    }
    const vm = await VmProcess.start({
      folder: this.folder,
      groups: this.#group.directories,
      agent: [...guest.command, ...agentArguments],
      env: guest.env,
    }, signal);
    this.#vm = vm;
    await this.#write({ vm: vm.identity });
    await linkJoined(vm.root, this.#record.cgroup.layout);
    await this.#scsi.prepare(vm.root);
    this.#adapters.prepare(vm.root, vm.identity.pid);
    for (const { controller, lun, attachment } of this.#plan.disks) {
      await this.#scsi.attach(controller, lun, attachment);
    }
    signal.throwIfAborted();
  }

  /** What init does before it runs the agent, and the wait for its end. */
  async #init(vm: VmProcess): Promise<void> {
    const { logPort } = this.#plan.guest;
    const dialed = logPort === undefined
      ? Promise.resolve(undefined)
      : dialLog(this.folder, logPort);
    const relayed = dialed.catch(() => undefined)
      .then((log) => relayLog(vm.log, log))
      .catch((error) => this.#report(error));
    const ended = vm.ended.finally(() => this.#stop.abort());
    try {
      await this.#entropy;
      await dialed;
      await vm.proceed();
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.#report(error);
        await tell(dialed, error);
      }
      await vm.kill();
    }
    const [end] = await Promise.all([ended, relayed]);
    await this.#end(this.#terminated ? forced : exitOf(end));
  }

  #report(error: unknown): void {
    this.#host.log.error("Simulated machine failed", {
      "uvm-id": this.#record.id,
      error: messageOf(error),
    });
  }

  /** Removes what the machine occupied and says that it ended. Once. */
  async #end(exit: ExitInfo): Promise<void> {
    if (!this.lives) return;
    this.#state.to("end");
    try {
      // A change that is under way comes to its end first.
      await this.#changes.run(() => {
        this.#adapters.release();
        return Promise.resolve(this.#scsi.release());
      });
      await releaseMachine(this.#record, this.#host.clock);
      await forgetMachine(this.#host.state, this.folder);
    } catch (error) {
      // The record is still there: the next create tries again.
      this.#report(error);
    }
    this.#presence.close();
    this.#ended.resolve(exit);
  }

  /** Ends it at once; {@linkcode Machine.exited} tells when it is gone. */
  terminate(): void {
    if (!this.lives || this.#terminated) return;
    this.#terminated = true;
    this.#stop.abort(
      refusal("terminatedDuringStart", `Cannot start "${this.#record.id}"`),
    );
    const ending = this.#state.is("Created")
      ? this.#end(forced)
      : this.#vm?.kill();
    ending?.catch((error) => this.#report(error));
  }

  /** Changes it. One change at a time. @throws {HResultError} what the request deserves. */
  modify(request: Json): Promise<void> {
    return this.#changes.run(async () => {
      this.#require("Running", "modify");
      await modifyMachine(request, this.#resources);
    });
  }

  /** Answers a query. @throws {HResultError} when it ended or the query is bad. */
  async properties(query: Json): Promise<Json> {
    if (!this.lives) this.#require("Running", "query");
    return await machineProperties(query, {
      record: this.#record,
      now: this.#host.clock.now(),
      usage: () => this.#group.usage(),
    });
  }
}

/** Says on the log port why the machine does not boot, if somebody listens. */
async function tell(
  dialed: Promise<Duplex | undefined>,
  error: unknown,
): Promise<void> {
  try {
    await (await dialed)?.write(initLine(error));
  } catch {
    // Nobody does; the host's own log has it.
  }
}
