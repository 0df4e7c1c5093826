/**
 * Named pipes of the pretended Windows: instances and their two ends.
 *
 * @module
 */

import { CallFailure } from "./calls.ts";
import { FakeChannel } from "./channel.ts";
import type { KernelObject } from "./handles.ts";
import type { Operation } from "./operations.ts";
import { FakePeer } from "./peer.ts";
import type { FakePort } from "./port.ts";
import { NtStatus } from "./status.ts";

const { PipeBroken, PipeClosing, PipeConnected, PipeDisconnected } = NtStatus;

/** Codes of `winerror.h` that calls on pipes fail with. */
const fileNotFound = 2;
const accessDenied = 5;
const timedOut = 121;
const pipeBusy = 231;

/** What one instance does: from `listening` on, a client can open it. */
type InstanceState = "listening" | "connected" | "closing" | "disconnected";

/** One instance of a pipe. */
export class PipeInstance {
  /** Name in lower case. */
  readonly name: string;
  /** Carries what the server writes. */
  toClient: FakeChannel;
  /** Carries what the client writes. */
  toServer: FakeChannel;
  /** What it does. */
  state: InstanceState = "listening";
  /** `ConnectNamedPipe` under way. */
  connecting: Operation | undefined;
  readonly #quota: number;

  /** @param quota Bytes of each direction. */
  constructor(name: string, quota: number) {
    this.name = name;
    this.#quota = quota;
    this.toClient = new FakeChannel(quota);
    this.toServer = new FakeChannel(quota);
  }

  /** A client opens it. */
  connect(): void {
    this.state = "connected";
    this.connecting?.settle(NtStatus.Success, 0);
    this.connecting = undefined;
  }

  /** `ConnectNamedPipe`. @returns Pending, or the status that it fails with. */
  listen(operation: Operation): number {
    if (this.state === "connected") return PipeConnected;
    if (this.state === "closing") return PipeClosing;
    this.state = "listening";
    this.connecting = operation;
    return NtStatus.Pending;
  }

  /** `DisconnectNamedPipe`: what nobody has read is lost. */
  disconnect(): void {
    this.toClient.end(PipeDisconnected, true);
    this.toServer.break(PipeDisconnected, PipeDisconnected);
    this.toClient = new FakeChannel(this.#quota);
    this.toServer = new FakeChannel(this.#quota);
    this.state = "disconnected";
  }
}

/** One end of an instance. */
export class PipeEnd implements KernelObject {
  /** See {@linkcode KernelObject.kind}. */
  readonly kind = "pipe";
  /** See {@linkcode KernelObject.port}. */
  port?: FakePort | undefined;
  /** See {@linkcode KernelObject.isInheritable}. */
  readonly isInheritable: boolean;
  /** The instance. */
  readonly instance: PipeInstance;
  readonly #isServer: boolean;
  readonly #pipes: FakePipes;
  #references = 1;

  /** @param isServer Whose end it is. */
  constructor(
    pipes: FakePipes,
    instance: PipeInstance,
    isServer: boolean,
    isInheritable: boolean,
  ) {
    this.#pipes = pipes;
    this.instance = instance;
    this.#isServer = isServer;
    this.isInheritable = isInheritable;
  }

  /** Carries what this end reads. */
  get incoming(): FakeChannel {
    const { toClient, toServer } = this.instance;
    return this.#isServer ? toServer : toClient;
  }

  /** Carries what this end writes. */
  get outgoing(): FakeChannel {
    const { toClient, toServer } = this.instance;
    return this.#isServer ? toClient : toServer;
  }

  /** One handle more. */
  share(): void {
    this.#references++;
  }

  /** One handle less; with the last one the end is closed. */
  close(): void {
    if (--this.#references > 0) return;
    this.outgoing.end(PipeBroken);
    this.incoming.break(PipeBroken, PipeClosing);
    if (this.#isServer) this.#pipes.remove(this.instance);
    else if (this.instance.state === "connected") {
      this.instance.state = "closing";
    }
  }

  /** This end as a test uses it. */
  peer(): FakePeer {
    let closed = false;
    const { incoming, outgoing } = this;
    const close = (): void => {
      if (!closed) this.close();
      closed = true;
    };
    return new FakePeer({ incoming, outgoing, close });
  }
}

/** A pipe as a test serves it. */
export interface ServedPipe {
  /** Adds an instance that waits for a client. @returns The server's end. */
  add(): FakePeer;
}

/** All pipes, by their names. */
export class FakePipes {
  readonly #names = new Map<string, PipeInstance[]>();
  /** Text of the security descriptors that pipes were made with, by instance. */
  readonly descriptors: string[] = [];

  /** Names of the pipes that exist, in lower case. */
  get names(): string[] {
    return [...this.#names.keys()];
  }

  /** Instances of a pipe. */
  instances(name: string): readonly PipeInstance[] {
    return this.#names.get(name.toLowerCase()) ?? [];
  }

  /** `CreateNamedPipeW`. @throws {CallFailure} */
  create(
    name: string,
    { isFirst, limit, quota }: {
      readonly isFirst: boolean;
      readonly limit: number;
      readonly quota: number;
    },
  ): PipeEnd {
    const key = name.toLowerCase();
    const others = this.instances(key);
    if (isFirst && others.length > 0) throw new CallFailure(accessDenied);
    if (others.length >= limit) throw new CallFailure(pipeBusy);
    const instance = new PipeInstance(key, quota);
    this.#names.set(key, [...others, instance]);
    return new PipeEnd(this, instance, true, false);
  }

  /** `CreateFileW` of a pipe. @throws {CallFailure} */
  open(name: string, isInheritable = false): PipeEnd {
    if (!this.wait(name)) throw new CallFailure(pipeBusy);
    const [free] = this.#free(name);
    free!.connect();
    return new PipeEnd(this, free!, false, isInheritable);
  }

  /** True when an instance is free. @throws {CallFailure} When there is no such pipe. */
  wait(name: string): boolean {
    if (this.instances(name).length === 0) throw new CallFailure(fileNotFound);
    return this.#free(name).length > 0;
  }

  /** `WaitNamedPipeW`. @throws {CallFailure} */
  requireFree(name: string): void {
    if (!this.wait(name)) throw new CallFailure(timedOut);
  }

  /** A client of a test connects. @throws {CallFailure} */
  connect(name: string): FakePeer {
    return this.open(name).peer();
  }

  /** A test serves a pipe. */
  serve(name: string, quota = 64 * 1024): ServedPipe {
    const limits = { isFirst: false, limit: 255, quota };
    return { add: () => this.create(name, limits).peer() };
  }

  /** The server's end of an instance is gone. */
  remove(instance: PipeInstance): void {
    const left = this.instances(instance.name).filter((one) =>
      one !== instance
    );
    if (left.length > 0) this.#names.set(instance.name, left);
    else this.#names.delete(instance.name);
  }

  #free(name: string): PipeInstance[] {
    return this.instances(name).filter(({ state }) => state === "listening");
  }
}
