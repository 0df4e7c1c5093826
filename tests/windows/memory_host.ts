/**
 * A compute service in memory, which refuses what a test tells it to.
 *
 * @module
 */

import { HResult, HResultError } from "../../base/hresult.ts";
import type { Json } from "../../base/json.ts";
import type { ComputeHost, ExitInfo } from "../../hcs/ports.ts";
import type { ServiceSystem } from "./compute_systems.ts";

/** GUID of every system. */
export const memoryRuntimeId = "5c1e0d3a-7f0e-4c2b-9c57-0a6d1f3b8e21";

/** A grant to this VM makes every later call fail. */
const refuser = "refuse";

const refusable = [
  "create",
  "open",
  "start",
  "modify",
  "properties",
  "enumerate",
  "serviceProperties",
  "revokeAccess",
  "terminate",
  "shutdown",
  "pause",
  "resume",
  "save",
  "migrate",
];

/** Keeps systems in a map and a list of the calls it got. */
export class MemoryHost implements ComputeHost {
  /** Calls, oldest first. */
  readonly calls: string[] = [];
  /** Names of the calls that fail with E_ACCESSDENIED and a document. */
  readonly refused = new Set<string>();
  readonly #systems = new Map<string, ServiceSystem>();

  #enter(name: string, ...args: string[]): void {
    this.calls.push([name, ...args].join(" "));
    if (this.refused.has(name)) {
      throw new HResultError(0x80070005, `kein Zugriff – 無 (${name})`);
    }
  }

  async create(id: string, document: Json): Promise<ServiceSystem> {
    await Promise.resolve();
    this.#enter("create", id, JSON.stringify(document));
    const exit = Promise.withResolvers<ExitInfo>();
    const system: ServiceSystem = {
      id,
      runtimeId: memoryRuntimeId,
      exited: exit.promise,
      start: async () => await this.#enter("start"),
      modify: async (request) =>
        await this.#enter("modify", JSON.stringify(request)),
      properties: async (query) => {
        await this.#enter("properties");
        return { Query: query };
      },
      terminate: async () => {
        await this.#enter("terminate");
        exit.resolve({ status: 0, exitType: "ForcedExit" });
      },
      shutdown: async () => {
        await this.#enter("shutdown");
        exit.resolve({ status: 0, exitType: "GracefulExit" });
      },
      pause: async () => await this.#enter("pause"),
      resume: async () => await this.#enter("resume"),
      save: async (options) =>
        await this.#enter("save", JSON.stringify(options)),
      migrate: async (step, options) =>
        await this.#enter("migrate", step, JSON.stringify(options)),
      close: async () => await void this.#systems.delete(id),
    };
    this.#systems.set(id, system);
    return system;
  }

  async open(id: string): Promise<ServiceSystem> {
    await this.#enter("open", id);
    const system = this.#systems.get(id);
    if (system !== undefined) return system;
    throw new HResultError(HResult.SystemNotFound, `no system ${id}`);
  }

  async enumerate(): ReturnType<ComputeHost["enumerate"]> {
    await this.#enter("enumerate");
    return [...this.#systems.keys()].map((Id) => ({
      Id,
      Owner: "test",
      RuntimeId: memoryRuntimeId,
      State: "Running",
    }));
  }

  async serviceProperties(query: Json): Promise<Json> {
    await this.#enter("serviceProperties");
    return { Query: query };
  }

  async grantAccess(vm: string, path: string): Promise<void> {
    await this.#enter("grantAccess", vm, path);
    if (vm === refuser) {
      for (const name of refusable) {
        this.refused.add(name);
      }
    }
  }

  async revokeAccess(vm: string, path: string): Promise<void> {
    await this.#enter("revokeAccess", vm, path);
  }
}
