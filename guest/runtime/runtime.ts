/**
 * The OCI runtime as the agent uses it.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import type { StdioDescriptors } from "../../ffi/linux/spawn.ts";

/**
 * The descriptors of a process, which stay the caller's, or a terminal that the
 * runtime makes.
 */
export type ProcessStdio = StdioDescriptors | "terminal";

/** A process that the runtime made. */
export interface RuntimeProcess {
  /** In the pid namespace of the VM; a descendant that the agent waits for. */
  readonly pid: number;
  /** Master of its terminal, owned by the caller. */
  readonly terminal?: number;
}

/** What the agent asks a runtime (crun, runc) for. */
export interface OciRuntime {
  /** Name of the program, for messages. */
  readonly name: string;
  /**
   * Makes a container from `<bundle>/config.json`; its init waits for
   * {@linkcode OciRuntime.start}.
   *
   * @throws {HResultError} SystemAlreadyExists, InvalidArgument, or Fail with
   * the runtime's own words. Nothing stays behind.
   */
  create(
    id: string,
    bundle: string,
    stdio: ProcessStdio,
  ): Promise<RuntimeProcess>;
  /** Lets the init of a created container run. */
  start(id: string, bundle: string): Promise<void>;
  /**
   * Runs a further process in a container.
   *
   * @param process The OCI process.
   */
  exec(
    id: string,
    process: JsonObject,
    stdio: ProcessStdio,
  ): Promise<RuntimeProcess>;
  /**
   * Forgets a container that has ended; with `force` it is killed before. An
   * unknown one is a success.
   */
  delete(id: string, options?: { force?: boolean }): Promise<void>;
  /** Changes the limits of a container: the `linux.resources` of OCI. */
  update(id: string, resources: JsonObject): Promise<void>;
}
