/**
 * The guest as the controllers see it, and its implementation over the bridge.
 *
 * @module
 */

import type { Duplex, DuplexListener } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import type { GuestCall, GuestConnection } from "./connection.ts";
import type { ContainerWatch } from "./container_watches.ts";
import type { BridgeEnd } from "./errors.ts";
import { BridgeProcess, type ProcessChannels } from "./guest_process.ts";
import {
  type Capabilities,
  ContainerDocument,
  ContainerProperties,
  type ModifyRequest,
  ProcessParameters,
  PropertyQuery,
  type StdioRelaySettings,
} from "./messages.gen.ts";
import { firstStdioPort } from "./places.ts";
import { StdioChannel } from "./stdio_channel.ts";

/** A container in the guest. */
export interface GuestContainer {
  /** Its id in the guest. */
  readonly id: string;
  /** Tells the guest to start it; its init process is started by `execute`. */
  start(): Promise<void>;
  /** Resolves when the guest says that it ended, or the bridge ended. Never rejects. */
  readonly terminated: Promise<void>;
  /** Forgets the container on our side; `terminated` resolves. Idempotent. */
  close(): void;
}

/** A process in the guest. */
export interface GuestProcess {
  /** Its id in the VM. */
  readonly pid: number;
  /** Its input, when it was asked for. Waits for the guest's dial. */
  readonly stdin?: Duplex;
  /** Its output, when it was asked for. Waits for the guest's dial. */
  readonly stdout?: Duplex;
  /** Its errors, when they were asked for. Waits for the guest's dial. */
  readonly stderr?: Duplex;
  /**
   * Its exit code: 128 + signal when a signal ended it, 0 when the guest does
   * not know it any more. Rejects with Unavailable when the bridge is lost.
   */
  readonly exited: Promise<number>;
  /**
   * Signals it.
   *
   * @param signal Linux signal number; kill when absent.
   * @returns False when there was nothing left to signal.
   * @throws {ShimError} InvalidArgument for a signal that this guest cannot send.
   */
  signal(signal?: number): Promise<boolean>;
  /** Sets the size of its terminal, in characters. */
  resize(width: number, height: number): Promise<void>;
  /** Ends its input. @throws {ShimError} FailedPrecondition when it has none. */
  closeStdin(): Promise<void>;
  /** Closes its streams; the process goes on. Idempotent. */
  close(): Promise<void>;
}

/** Which streams of a process are wanted. */
export interface GuestStdio {
  /** Its input. */
  readonly stdin: boolean;
  /** Its output. */
  readonly stdout: boolean;
  /** Its errors; a terminal has none. */
  readonly stderr: boolean;
}

/**
 * The agent in one VM. Calls fail with what the guest answered
 * (`guest RPC failure: …`), or with Unavailable and "bridge closed".
 */
export interface Guest {
  /** What the guest can do. */
  readonly capabilities: Capabilities;
  /** The calls that it has not answered yet, oldest first. */
  readonly pending: readonly GuestCall[];
  /** Settles when the bridge has ended; never rejects. */
  readonly ended: Promise<BridgeEnd>;
  /**
   * Creates a container up to the state "created".
   *
   * @param signal Prevents the call; once it is sent, the answer is waited for.
   */
  createContainer(
    id: string,
    document: ContainerDocument,
    signal?: AbortSignal,
  ): Promise<GuestContainer>;
  /**
   * Starts the init process of a container (no `OciProcess`), another process in
   * it, or a process of the VM (null GUID).
   *
   * @param parameters The flags of the streams are set from `stdio`.
   * @param signal Prevents the call; once it is sent, the answer is waited for.
   */
  execute(
    containerId: string,
    parameters: ProcessParameters,
    stdio: GuestStdio,
    signal?: AbortSignal,
  ): Promise<GuestProcess>;
  /** Changes a resource of the VM, or of a container. */
  modify(request: ModifyRequest, containerId?: string): Promise<void>;
  /**
   * Asks for properties, for example `["ProcessList", "Statistics"]`.
   *
   * @param signal Ends the wait for the answer.
   */
  properties(
    containerId: string,
    types: readonly string[],
    signal?: AbortSignal,
  ): Promise<ContainerProperties>;
  /** Makes the guest forget a container; nothing when it cannot. */
  deleteContainerState(containerId: string): Promise<void>;
  /** What the agent is doing; empty when it cannot tell. */
  dumpStacks(): Promise<string>;
}

/** What a {@linkcode BridgeGuest} needs. */
export interface BridgeGuestOptions {
  /** First port of process streams. Default 0x40000001. */
  readonly firstPort?: number;
}

/** The agent of one VM, reached over its bridge. */
export class BridgeGuest implements Guest {
  readonly #connection: GuestConnection;
  readonly #listen: (port: number) => Promise<DuplexListener>;
  /** Ports are never used twice: a late dial must not reach another process. */
  #nextPort: number;

  /**
   * The guest at the other end of a bridge.
   *
   * @param connection The open bridge; its owner closes it.
   * @param listen Listens for dials of this VM to a vsock port.
   */
  constructor(
    connection: GuestConnection,
    listen: (port: number) => Promise<DuplexListener>,
    options: BridgeGuestOptions = {},
  ) {
    this.#connection = connection;
    this.#listen = listen;
    this.#nextPort = options.firstPort ?? firstStdioPort;
  }

  /** What the guest can do. */
  get capabilities(): Capabilities {
    return this.#connection.capabilities;
  }

  /** The calls that it has not answered yet, oldest first. */
  get pending(): readonly GuestCall[] {
    return this.#connection.pending;
  }

  /** Settles when the bridge has ended; never rejects. */
  get ended(): Promise<BridgeEnd> {
    return this.#connection.ended;
  }

  /** Creates a container up to the state "created". */
  async createContainer(
    id: string,
    document: ContainerDocument,
    signal?: AbortSignal,
  ): Promise<GuestContainer> {
    const ContainerConfig = ContainerDocument.format(document);
    const watch = this.#connection.watchContainer(id);
    try {
      await this.#connection.call(
        "Create",
        id,
        { ContainerConfig },
        withSignal(signal),
      );
    } catch (error) {
      watch.forget();
      throw error;
    }
    return this.#container(id, watch);
  }

  #container(id: string, watch: ContainerWatch): GuestContainer {
    return {
      id,
      terminated: watch.terminated,
      start: async () => {
        await this.#connection.call("Start", id, {});
      },
      close: () => watch.forget(),
    };
  }

  /** Starts a process; the guest has dialled its streams when this resolves. */
  async execute(
    containerId: string,
    parameters: ProcessParameters,
    stdio: GuestStdio,
    signal?: AbortSignal,
  ): Promise<GuestProcess> {
    signal?.throwIfAborted();
    const ports: StdioRelaySettings = {};
    const channels: ProcessChannels = {};
    try {
      if (stdio.stdin) {
        [ports.StdIn, channels.stdin] = await this.#openChannel();
      }
      if (stdio.stdout) {
        [ports.StdOut, channels.stdout] = await this.#openChannel();
      }
      if (stdio.stderr) {
        [ports.StdErr, channels.stderr] = await this.#openChannel();
      }
      const { ProcessId } = await this.#connection.call(
        "ExecuteProcess",
        containerId,
        {
          Settings: {
            ProcessParameters: ProcessParameters.format({
              ...parameters,
              CreateStdInPipe: stdio.stdin,
              CreateStdOutPipe: stdio.stdout,
              CreateStdErrPipe: stdio.stderr,
            }),
            VsockStdioRelaySettings: ports,
          },
        },
        withSignal(signal),
      );
      return new BridgeProcess(
        this.#connection,
        containerId,
        ProcessId,
        channels,
      );
    } catch (error) {
      // Each one, whatever the others do; the caller hears what failed first.
      await Promise.allSettled(
        Object.values(channels).map((channel) => channel.close()),
      );
      throw error;
    }
  }

  async #openChannel(): Promise<[port: number, channel: StdioChannel]> {
    const port = this.#nextPort++;
    if (port > 0xffffffff) {
      throw new ShimError(
        "ResourceExhausted",
        "Cannot open a stream to the guest: all ports of this VM have been used",
      );
    }
    return [port, new StdioChannel(await this.#listen(port))];
  }

  /** Changes a resource of the VM, or of a container. */
  async modify(request: ModifyRequest, containerId = nullGuid): Promise<void> {
    await this.#connection.call("ModifySettings", containerId, {
      Request: request,
    });
  }

  /** Asks for properties of a container. */
  async properties(
    containerId: string,
    types: readonly string[],
    signal?: AbortSignal,
  ): Promise<ContainerProperties> {
    const { Properties } = await this.#connection.call(
      "GetProperties",
      containerId,
      { Query: PropertyQuery.format({ PropertyTypes: [...types] }) },
      signal && { signal },
    );
    try {
      return ContainerProperties.parse(Properties);
    } catch (cause) {
      throw new ShimError(
        "Internal",
        `Cannot read what the guest says of container "${containerId}": ${
          cause instanceof Error ? cause.message : cause
        }`,
        { cause },
      );
    }
  }

  /** Makes the guest forget a container; nothing when it cannot. */
  async deleteContainerState(containerId: string): Promise<void> {
    const can = this.capabilities.GuestDefinedCapabilities;
    if (!can?.DeleteContainerStateSupported) return;
    await this.#connection.call("DeleteContainerState", containerId, {});
  }

  /** What the agent is doing; empty when it cannot tell. */
  async dumpStacks(): Promise<string> {
    const can = this.capabilities.GuestDefinedCapabilities;
    if (!can?.DumpStacksSupported) return "";
    const reply = await this.#connection.call("DumpStacks", nullGuid, {});
    return reply.GuestStacks;
  }
}

function withSignal(signal?: AbortSignal): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
