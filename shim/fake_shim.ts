/**
 * A shim for tests of the services: fake VMs, real controllers, recorded events.
 *
 * @module
 */

import { FakeClock } from "../base/clock.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { noTracer, type WatchedTracer } from "../base/trace.ts";
import type { FakeGuestOptions } from "../bridge/fake_guest.ts";
import type { PathFiles } from "../controllers/device/plan9/mod.ts";
import { FakeHostNetwork } from "../controllers/network/testing.ts";
import type { CallContext } from "../ttrpc/handlers.ts";
import type { MessageType } from "../ttrpc/message.ts";
import type { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import { FakePlatform } from "./fake_platform.ts";
import { runtimeOf } from "./load_runtime.ts";
import { FakeVm } from "./fake_vm.ts";
import { newShimMetrics } from "./metrics.ts";
import { Shim } from "./shim.ts";
import { TaskEvents } from "./task_events.ts";

/** A recorded event. */
export interface RecordedEvent {
  /** For example `/tasks/start`. */
  readonly topic: string;
  /** The event, with zero members left out. */
  readonly event: unknown;
}

/** How a {@linkcode FakeShim} is made. */
export interface FakeShimOptions {
  /** Time. Default: a clock that waits for nothing. */
  readonly clock?: FakeClock;
  /** Runtime options that `start` received. */
  readonly options?: Promise<Options | undefined>;
  /** How the guests of its VMs behave. */
  readonly guest?: FakeGuestOptions;
  /** Gets a span per call of a client. */
  readonly tracer?: WatchedTracer;
  /** Log of the process. */
  readonly log?: Logger;
}

/** See the module. */
export class FakeShim {
  readonly clock: FakeClock;
  readonly platform = new FakePlatform();
  /** The network service of the host. */
  readonly network = new FakeHostNetwork();
  /** The files of the host: every path is a directory, by default. */
  readonly files: { -readonly [M in keyof PathFiles]: PathFiles[M] } = {
    stat: () => Promise.resolve("directory"),
    join: (...parts) => parts.join("/"),
  };
  /** The VMs in the order in which they were made. */
  readonly vms: FakeVm[] = [];
  /** The events in the order in which they were published. */
  readonly events: RecordedEvent[] = [];
  /** What is done to the next VM before anybody uses it. */
  onVm: (vm: FakeVm) => void = () => {};
  readonly shim: Shim;
  /** Whether the queue of events was closed. */
  eventsClosed = false;
  /** True once nobody can connect any more. */
  endpointClosed = false;

  /** @param options See {@linkcode FakeShimOptions}. */
  constructor(options: FakeShimOptions = {}) {
    this.clock = options.clock ?? new FakeClock();
    const parts = {
      clock: this.clock,
      timeouts: defaultTimeouts,
      metrics: newShimMetrics(),
    };
    const runtime = runtimeOf(
      {
        platform: this.platform,
        compute: { grantAccess: () => Promise.resolve() },
        files: {
          resolve: (path) => Promise.resolve(path),
          stat: (path) => this.files.stat(path),
          join: (...path) => this.files.join(...path),
        },
        network: this.network,
      },
      { namespace: "default", log: silentLogger, ...parts },
      () => {
        const vm = new FakeVm(options.guest);
        this.vms.push(vm);
        this.onVm(vm);
        return vm;
      },
    );
    this.shim = new Shim({
      runtime: Promise.resolve(runtime),
      options: options.options ?? Promise.resolve(undefined),
      events: new TaskEvents({
        publish: <T>(
          topic: string,
          _type: MessageType<T>,
          event: Partial<T>,
        ) => {
          // As the real one, it loses what comes too late.
          if (!this.eventsClosed) this.events.push({ topic, event });
        },
      }),
      closeEvents: () => {
        this.eventsClosed = true;
        return Promise.resolve();
      },
      closeEndpoint: () => {
        this.endpointClosed = true;
        return Promise.resolve();
      },
      log: options.log ?? silentLogger,
      tracer: options.tracer ?? noTracer,
      ...parts,
    });
  }

  /** The only VM. */
  get vm(): FakeVm {
    return this.vms[0]!;
  }

  /** Topics of the events. */
  get topics(): string[] {
    return this.events.map(({ topic }) => topic);
  }
}

/** The context of one call, and what the test does with it. */
export class FakeCall implements CallContext {
  /** What the client sent beside the request. */
  metadata: ReadonlyMap<string, readonly string[]> = new Map();
  readonly service: string;
  readonly method: string;
  readonly #client = new AbortController();
  readonly #after: (() => void | Promise<void>)[] = [];

  /**
   * @param service Full name of its service.
   * @param method Name of its method.
   */
  constructor(service = "", method = "") {
    this.service = service;
    this.method = method;
  }

  /** Aborts when the client is gone. */
  get signal(): AbortSignal {
    return this.#client.signal;
  }

  afterReply(action: () => void | Promise<void>): void {
    this.#after.push(action);
  }

  /** The client goes away. */
  disconnect(): void {
    this.#client.abort(new DOMException("the client is gone", "AbortError"));
  }

  /** The reply has been written. */
  async replied(): Promise<void> {
    for (const action of this.#after) await action();
  }
}
