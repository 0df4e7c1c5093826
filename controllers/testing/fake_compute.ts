/**
 * A compute service in memory, for tests of the controllers.
 *
 * @module
 */

import { HResult, HResultError, isGone } from "../../base/hresult.ts";
import type { Json } from "../../base/json.ts";
import type {
  ComputeHost,
  ComputeSystem,
  ComputeSystemSummary,
  ExitInfo,
} from "../../hcs/ports.ts";
import { CallScript } from "./call_script.ts";

/** GUID of every fake VM. */
export const fakeRuntimeId = "99999999-0000-1111-2222-333333333333";

/** A VM that does what the test says. */
export class FakeComputeSystem implements ComputeSystem {
  /** The id it was created with. */
  readonly id: string;
  /** Its GUID. */
  readonly runtimeId = fakeRuntimeId;
  /** What was called, and what fails: `start`, `modify`, `properties`, `terminate`, `close`. */
  readonly script = new CallScript();
  /** Settles at {@linkcode FakeComputeSystem.exit}. */
  readonly exited: Promise<ExitInfo>;
  /** What `properties` answers. */
  answer: Json = {};
  /** Whether its handle is closed. */
  closed = false;
  /** False keeps a terminate from having an effect. */
  obedient = true;
  readonly #settle: PromiseWithResolvers<ExitInfo>;

  /** @param id Its id. */
  constructor(id: string) {
    this.id = id;
    this.#settle = Promise.withResolvers();
    this.exited = this.#settle.promise;
    this.exited.catch(() => {}); // told to whoever waits
  }

  /** It ends. */
  exit(info: Partial<ExitInfo> = {}): void {
    this.#settle.resolve({ status: 0, exitType: "GracefulExit", ...info });
  }

  /** The service is lost. */
  lose(error: Error): void {
    this.#settle.reject(error);
  }

  /** Records the call. */
  start(signal?: AbortSignal): Promise<void> {
    return this.script.play("start", undefined, signal);
  }

  /** Records the request. */
  modify(request: Json): Promise<void> {
    return this.script.play("modify", request);
  }

  /** Records the query. */
  async properties(query: Json): Promise<Json> {
    await this.script.play("properties", query);
    return this.answer;
  }

  /** Records the call; the system exits. */
  async terminate(): Promise<void> {
    await this.script.play("terminate");
    if (this.obedient) this.exit({ exitType: "ForcedExit" });
  }

  /** Records the call. A handle that is gone is closed. */
  async close(): Promise<void> {
    try {
      await this.script.play("close");
    } catch (error) {
      if (isGone(error)) this.closed = true;
      throw error;
    }
    this.closed = true;
  }
}

/** A compute service with its systems. */
export class FakeCompute implements ComputeHost {
  /** What was called, and what fails: `create`, `grantAccess`, … */
  readonly script = new CallScript();
  /** The systems by id. */
  readonly systems = new Map<string, FakeComputeSystem>();
  /** What `serviceProperties` answers. */
  answer: Json = { Properties: [{ LogicalProcessorCount: 8 }] };
  /** What `enumerate` answers. */
  rows: ComputeSystemSummary[] = [];

  /** The only system. */
  get system(): FakeComputeSystem {
    const [system] = this.systems.values();
    if (system === undefined) throw new TypeError("No system was created");
    return system;
  }

  /** Creates a system; refuses an id that is in use. */
  async create(
    id: string,
    document: Json,
    signal?: AbortSignal,
  ): Promise<ComputeSystem> {
    await this.script.play("create", { id, document }, signal);
    if (this.systems.get(id)?.closed === false) {
      throw new HResultError(HResult.SystemAlreadyExists, `Create ${id}`);
    }
    const system = new FakeComputeSystem(id);
    this.systems.set(id, system);
    return system;
  }

  /** A system by its id. */
  async open(id: string): Promise<ComputeSystem> {
    await this.script.play("open", id);
    const system = this.systems.get(id);
    if (system !== undefined) return system;
    throw new HResultError(HResult.SystemNotFound, `Open ${id}`);
  }

  /** Answers `rows`. */
  async enumerate(query: Json): Promise<ComputeSystemSummary[]> {
    await this.script.play("enumerate", query);
    return this.rows;
  }

  /** Answers `answer`. */
  async serviceProperties(query: Json): Promise<Json> {
    await this.script.play("serviceProperties", query);
    return this.answer;
  }

  /** Records the grant. */
  grantAccess(vmId: string, path: string): Promise<void> {
    return this.script.play("grantAccess", { vmId, path });
  }

  /** Records the revocation. */
  revokeAccess(vmId: string, path: string): Promise<void> {
    return this.script.play("revokeAccess", { vmId, path });
  }
}
