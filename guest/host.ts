/**
 * The guest agent: answers the calls of the host.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import type { GuestHandlers } from "../bridge/handlers.ts";
import {
  type ContainerNotification,
  ProcessParameters,
} from "../bridge/messages.gen.ts";
import type { Container } from "./container.ts";
import { Containers } from "./containers.ts";
import { createContainer, parseDocument } from "./create.ts";
import { deleteContainer } from "./delete.ts";
import { type CallList, dump } from "./dump.ts";
import { execInContainer, startInit } from "./execute.ts";
import { ExternalProcesses } from "./external.ts";
import { modifyContainer, modifyVm, requireResource } from "./modify.ts";
import { Pods } from "./pods.ts";
import type { GuestPorts } from "./ports.ts";
import type { GuestProcess } from "./process/process.ts";
import { parseQuery, properties } from "./properties.ts";

/** What the agent tells the host unasked. */
export interface HostLink {
  /** A container has ended. */
  notify(notification: ContainerNotification): void;
  /** The VM is to end: no further calls. */
  quit(): void;
}

/** `SignalProcess` without a signal kills. */
const sigKill = 9;

/** Containers, pods and processes of one VM. */
export class GuestHost {
  readonly #ports: GuestPorts;
  readonly #containers = new Containers();
  readonly #pods: Pods;
  readonly #external: ExternalProcesses;
  readonly #calls: CallList["calls"][number][] = [];
  #link: HostLink | undefined;

  /** @param ports The VM around the agent. */
  constructor(ports: GuestPorts) {
    this.#ports = ports;
    this.#pods = new Pods(ports);
    this.#external = new ExternalProcesses(ports);
  }

  /** Connects the agent with its host. */
  attach(link: HostLink): void {
    this.#link = link;
  }

  /** The answers to the calls of the bridge. */
  get handlers(): GuestHandlers {
    return track(this.#handlers(), this.#calls, () => this.#ports.clock.now());
  }

  #handlers(): GuestHandlers {
    const ports = this.#ports;
    const { policy } = ports;
    return {
      Create: async (request, { containerId }) => {
        const options = parseDocument(containerId, request);
        await createContainer(this.#context, options);
      },
      // The start of a container is the start of its first process.
      // deno-lint-ignore require-await -- an unknown container is a rejection
      Start: async (_request, { containerId }) => {
        if (containerId !== nullGuid) this.#containers.get(containerId);
      },
      ShutdownGraceful: (_request, { containerId }) =>
        this.#shutdown(containerId, false),
      ShutdownForced: (_request, { containerId }) =>
        this.#shutdown(containerId, true),
      ExecuteProcess: async ({ Settings }, { containerId }) => {
        const parameters = parseParameters(Settings.ProcessParameters);
        const stdio = Settings.VsockStdioRelaySettings;
        const inVm = parameters.CreateInUtilityVM || containerId === nullGuid;
        if (inVm) {
          return { ProcessId: await this.#external.start(parameters, stdio) };
        }
        const container = this.#containers.get(containerId);
        const run = parameters.OciProcess === undefined
          ? startInit
          : execInContainer;
        return { ProcessId: await run(ports, container, parameters, stdio) };
      },
      WaitForProcess: async (request, { containerId, signal }) => {
        const process = this.#process(containerId, request.ProcessId);
        const code = await process.wait(request.TimeoutInMs, signal);
        return { ExitCode: code >>> 0 };
      },
      SignalProcess: async (request, { containerId }) => {
        const signal = request.Options?.Signal || sigKill;
        const { ProcessId: pid } = request;
        await this.#signal(containerId, pid, signal);
      },
      ResizeConsole: async (request, { containerId }) => {
        const process = this.#process(containerId, request.ProcessId);
        await process.resize(request.Width, request.Height);
      },
      GetProperties: async ({ Query }, { containerId }) => {
        const names = parseQuery(Query);
        await policy.ask({ name: "properties", id: containerId });
        if (containerId === nullGuid) {
          throw new ShimError(
            "FailedPrecondition",
            "Properties are not supported against the UVM",
          );
        }
        const container = this.#containers.get(containerId);
        return { Properties: await properties(ports, container, names) };
      },
      ModifySettings: async ({ Request }, { containerId, signal }) => {
        const request = requireResource(Request);
        policy.requireId("container", containerId);
        if (containerId === nullGuid) {
          const context = { ports, containers: this.#containers, signal };
          return await modifyVm(context, request);
        }
        const container = this.#containers.get(containerId);
        await modifyContainer(ports, container, request);
      },
      DumpStacks: async () => {
        await policy.ask({ name: "stack dump" });
        return { GuestStacks: this.dump() };
      },
      DeleteContainerState: async (_request, { containerId }) => {
        policy.requireId("container", containerId);
        const container = this.#containers.get(containerId);
        await deleteContainer(this.#context, container);
      },
    };
  }

  get #context(): {
    ports: GuestPorts;
    containers: Containers;
    pods: Pods;
    onEnd: (container: Container) => void;
  } {
    return {
      ports: this.#ports,
      containers: this.#containers,
      pods: this.#pods,
      onEnd: (container) => this.#reportEnd(container),
    };
  }

  #process(containerId: string, pid: number): GuestProcess {
    return containerId === nullGuid
      ? this.#external.get(pid)
      : this.#containers.get(containerId).process(pid);
  }

  async #shutdown(containerId: string, force: boolean): Promise<void> {
    if (containerId === nullGuid) {
      this.#ports.log.info("The host ends the VM");
      this.#link?.quit();
      return;
    }
    const container = this.#containers.get(containerId);
    const { policy } = this.#ports;
    await policy.ask({ name: "container shutdown", id: containerId });
    container.shutdown(force);
  }

  /** REF asks for processes of containers only, and signals no others. */
  async #signal(id: string, pid: number, signal: number): Promise<void> {
    const container = id === nullGuid ? undefined : this.#containers.get(id);
    const process = this.#process(id, pid);
    const isInit = process === container?.init;
    const { argv } = process;
    await this.#ports.policy.ask({ name: "signal", id, signal, isInit, argv });
    if (container === undefined) process.signal(signal);
    else container.signal(pid, signal);
  }

  /** The host has learnt the exit of an init, and nobody else waits for it. */
  #reportEnd(container: Container): void {
    // A host drops the bridge over the end of a container that it has deleted.
    if (!this.#containers.has(container)) return;
    this.#link?.notify({
      ContainerId: container.id,
      ActivityId: container.options.activityId,
      Type: container.exitType,
      Operation: "None",
      Result: 0,
    });
  }

  /** What is under way, as text. */
  dump(): string {
    return dump({
      calls: { calls: this.#calls },
      pods: this.#pods,
      containers: this.#containers,
      external: this.#external,
      networks: this.#ports.networks,
      reaper: this.#ports.reaper,
      now: this.#ports.clock.now(),
    });
  }
}

/** @throws {HResultError} InvalidJson. */
function parseParameters(text: string): ProcessParameters {
  try {
    return ProcessParameters.parse(text);
  } catch (cause) {
    throw new HResultError(
      HResult.InvalidJson,
      `Cannot read ProcessParameters: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Handlers that note which calls are under way. */
function track(
  handlers: GuestHandlers,
  calls: CallList["calls"][number][],
  now: () => number,
): GuestHandlers {
  const tracked = Object.entries(handlers).map(([name, handler]) => {
    const run = handler as (
      request: unknown,
      context: { readonly containerId: string },
    ) => Promise<unknown>;
    const wrapped: typeof run = async (request, context) => {
      const { containerId } = context;
      const call = { name, containerId, since: now() };
      calls.push(call);
      try {
        return await run(request, context);
      } finally {
        calls.splice(calls.indexOf(call), 1);
      }
    };
    return [name, wrapped];
  });
  return Object.fromEntries(tracked) as GuestHandlers;
}
