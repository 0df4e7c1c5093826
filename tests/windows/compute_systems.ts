/**
 * The compute systems that one process has open through a fake DLL, and what
 * both generations of the DLL can do with them.
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  parseJson,
} from "../../base/json.ts";
import type { ComputeHost, ComputeSystem, ExitInfo } from "../../hcs/ports.ts";
import type { NativeEvent } from "./frames.ts";
import { type Emit, Handles } from "./front.ts";

/** Steps of a live migration at its source. */
export type MigrationStep =
  | "initialize"
  | "start"
  | "transfer"
  | "finalize"
  | "cancel";

/** A compute system with what the service has beyond the product's port. A host may offer any of it. */
export interface ServiceSystem extends ComputeSystem {
  /** Asks the guest to shut down; default is to end it. */
  shutdown?(): Promise<void>;
  /** Stops its processors. */
  pause?(): Promise<void>;
  /** Lets them run again. */
  resume?(): Promise<void>;
  /** Writes its state as `{SaveType, SaveStateFilePath}` says. */
  save?(options: Json): Promise<void>;
  /** Does a step of a live migration. */
  migrate?(step: MigrationStep, options: Json): Promise<void>;
}

/** An event of a system, before it is known who gets it. */
export type SystemEvent = Omit<NativeEvent, "context">;

/** One open handle. */
export class OpenSystem {
  /** Settles when it is created or opened. */
  readonly ready: Promise<ServiceSystem>;
  /** Ends what is under way when the handle is closed, or a create terminated. */
  readonly cancel: AbortController = new AbortController();
  /** What the receiver of the events asked for. */
  options = 0;
  /** True once it is ready. */
  isReady = false;
  readonly #emit: Emit;
  readonly #waiting: SystemEvent[] = [];
  #receiver = 0n;

  /** @param make Creates or opens the system. */
  constructor(
    emit: Emit,
    make: (signal: AbortSignal) => Promise<ComputeSystem>,
  ) {
    this.#emit = emit;
    this.ready = make(this.cancel.signal).then((system) => {
      this.isReady = true;
      return system;
    });
    // Whoever needs it asks for it.
    this.ready.catch(() => {});
  }

  /** Sets who gets its events; those that wait come at once. 0: nobody. */
  register(receiver: bigint, options = 0): void {
    this.#receiver = receiver;
    this.options = options;
    if (receiver === 0n) return;
    for (const event of this.#waiting.splice(0)) this.notify(event);
  }

  /** Tells the receiver; without one, the event waits. */
  notify(event: SystemEvent): void {
    if (this.#receiver === 0n) this.#waiting.push(event);
    else this.#emit({ ...event, context: this.#receiver });
  }
}

/** The open systems of one process. */
export class ComputeSystems {
  readonly #host: ComputeHost;
  readonly #emit: Emit;
  readonly #exitEvent: (exit: ExitInfo | undefined) => SystemEvent;
  readonly #handles = new Handles<OpenSystem>(0x1_0000_0000n);

  /**
   * @param host Has the systems.
   * @param exitEvent The event of an end; undefined for a service that was lost.
   */
  constructor(
    host: ComputeHost,
    emit: Emit,
    exitEvent: (exit: ExitInfo | undefined) => SystemEvent,
  ) {
    this.#host = host;
    this.#emit = emit;
    this.#exitEvent = exitEvent;
  }

  /** How many handles are open. */
  get size(): number {
    return this.#handles.size;
  }

  /** What a handle stands for. @throws {HResultError} E_HANDLE. */
  find(handle: bigint): OpenSystem {
    return this.#handles.find(handle);
  }

  /** Begins to create a system. @throws {HResultError} InvalidJson for a document that is none. */
  create(id: string, document: string): { handle: bigint; open: OpenSystem } {
    const configuration = documentOf(document);
    const open = new OpenSystem(
      this.#emit,
      (signal) => this.#host.create(id, configuration, signal),
    );
    this.#watch(open);
    return { handle: this.#handles.open(open), open };
  }

  /** Opens a system. @returns Its handle. */
  async open(id: string): Promise<bigint> {
    const system = await this.#host.open(id);
    const open = new OpenSystem(this.#emit, () => Promise.resolve(system));
    this.#watch(open);
    return this.#handles.open(open);
  }

  #watch(open: OpenSystem): void {
    open.ready.then(async (system) => {
      const exit = await system.exited.catch(() => undefined);
      open.notify(this.#exitEvent(exit));
    }, () => {});
  }

  /** Closes a handle. @throws {HResultError} E_HANDLE. */
  async close(handle: bigint): Promise<void> {
    await closeSystem(this.#handles.close(handle));
  }

  /** Closes what is open. */
  async closeAll(): Promise<void> {
    await Promise.all(this.#handles.values().map(closeSystem));
  }
}

async function closeSystem(open: OpenSystem): Promise<void> {
  open.register(0n);
  open.cancel.abort();
  const system = await open.ready.catch(() => undefined);
  await system?.close();
}

/** A document of a call. @throws {HResultError} InvalidJson. */
export function documentOf(text: string): Json {
  try {
    return parseJson(text, "the document");
  } catch (cause) {
    throw new HResultError(HResult.InvalidJson, messageOf(cause), { cause });
  }
}

/** Options may be the empty string. */
function optionsOf(text: string): Json {
  return text === "" ? {} : documentOf(text);
}

/** Does what a host may offer. @throws {HResultError} E_NOTIMPL when it does not. */
async function offered(work: Promise<void> | undefined): Promise<void> {
  if (work !== undefined) return await work;
  throw new HResultError(
    HResult.NotImplemented,
    "The host does not offer this",
  );
}

function migration(
  step: MigrationStep,
): (open: OpenSystem, text: string) => Promise<void> {
  return async ({ ready }, text) =>
    await offered((await ready).migrate?.(step, optionsOf(text)));
}

/**
 * What the functions do that take a system and a text, by the name without
 * `Hcs`: they resolve with the document that was asked for.
 */
export const systemWork: Readonly<
  Record<string, (open: OpenSystem, text: string) => Promise<string | void>>
> = {
  StartComputeSystem: async ({ ready, cancel }) =>
    await (await ready).start(cancel.signal),
  ShutdownComputeSystem: async ({ ready }) => {
    const system = await ready;
    await (system.shutdown?.() ?? system.terminate());
  },
  TerminateComputeSystem: async ({ ready, cancel, isReady }) => {
    if (isReady) await (await ready).terminate();
    else cancel.abort();
  },
  PauseComputeSystem: async ({ ready }) =>
    await offered((await ready).pause?.()),
  ResumeComputeSystem: async ({ ready }) =>
    await offered((await ready).resume?.()),
  SaveComputeSystem: async ({ ready }, text) =>
    await offered((await ready).save?.(optionsOf(text))),
  GetComputeSystemProperties: async ({ ready }, text) => {
    const query = documentOf(text);
    const system = await ready;
    const answer = await system.properties(query);
    // The service names the system in every reply.
    const { id: Id, runtimeId: RuntimeId } = system;
    return formatJson(
      isJsonObject(answer) ? { Id, RuntimeId, ...answer } : answer,
    );
  },
  ModifyComputeSystem: async ({ ready }, text) => {
    const request = documentOf(text);
    await (await ready).modify(request);
  },
  InitializeLiveMigrationOnSource: migration("initialize"),
  StartLiveMigrationOnSource: migration("start"),
  StartLiveMigrationTransfer: migration("transfer"),
  FinalizeLiveMigration: migration("finalize"),
  CancelLiveMigration: migration("cancel"),
};
