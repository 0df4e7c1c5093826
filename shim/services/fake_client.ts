/**
 * Clients of the services for tests: they call the handlers as the server does,
 * with requests that have all members.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import type { Handlers, RequestOf, ResponseOf } from "../../ttrpc/handlers.ts";
import type { ServiceType } from "../../ttrpc/message.ts";
import { FakeCall } from "../fake_shim.ts";
import type { Shim } from "../shim.ts";
import { diagHandlers } from "./diag.ts";
import { sandboxHandlers } from "./sandbox.ts";
import { taskHandlers } from "./task.ts";

/** Calls methods of one service; messages pass through their codecs. */
export class ServiceClient<S extends ServiceType> {
  readonly #service: S;
  readonly #handlers: Handlers<S>;

  /**
   * @param service Its description.
   * @param handlers Its handlers.
   */
  constructor(service: S, handlers: Handlers<S>) {
    this.#service = service;
    this.#handlers = handlers;
  }

  /** Calls a unary method. */
  async call<M extends keyof S["methods"] & string>(
    method: M,
    request: Partial<RequestOf<S["methods"][M]>>,
    call: FakeCall = new FakeCall(this.#service.name, method),
  ): Promise<ResponseOf<S["methods"][M]>> {
    const type = this.#service.methods[method]!;
    const handler = this.#handlers[method] as
      | ((request: unknown, call: FakeCall) => Promise<object>)
      | undefined;
    if (handler === undefined) {
      throw new ShimError("NotImplemented", `method ${method}`);
    }
    const sent = type.request.decode(type.request.encode(request));
    const answer = await handler(sent, call);
    return type.response.decode(
      type.response.encode(answer),
    ) as ResponseOf<S["methods"][M]>;
  }
}

/** Calls the Sandbox service. */
export class SandboxClient {
  readonly #client: ServiceClient<typeof Sandbox>;

  /** @param shim Whose service it calls. */
  constructor(shim: Shim) {
    this.#client = new ServiceClient(
      Sandbox,
      shim.calls.watch(sandboxHandlers(shim)),
    );
  }

  /** CreateSandbox. */
  create(
    sandboxId: string,
    bundlePath: string,
    options?: Any,
    call?: FakeCall,
  ): Promise<unknown> {
    const request = { sandboxId, bundlePath };
    return this.#client.call(
      "CreateSandbox",
      options === undefined ? request : { ...request, options },
      call,
    );
  }

  /** CreateSandbox with a network namespace. */
  createIn(
    netnsPath: string,
    sandboxId: string,
    bundlePath: string,
  ): Promise<unknown> {
    const request = { sandboxId, bundlePath, netnsPath };
    return this.#client.call("CreateSandbox", request);
  }

  /** StartSandbox. */
  start(
    sandboxId: string,
    call?: FakeCall,
  ): Promise<ResponseOf<typeof Sandbox.methods.StartSandbox>> {
    return this.#client.call("StartSandbox", { sandboxId }, call);
  }

  /** Platform. */
  platform(
    sandboxId: string,
  ): Promise<ResponseOf<typeof Sandbox.methods.Platform>> {
    return this.#client.call("Platform", { sandboxId });
  }

  /** StopSandbox. */
  stop(sandboxId: string): Promise<unknown> {
    return this.#client.call("StopSandbox", { sandboxId });
  }

  /** WaitSandbox. */
  wait(
    sandboxId: string,
    call?: FakeCall,
  ): Promise<ResponseOf<typeof Sandbox.methods.WaitSandbox>> {
    return this.#client.call("WaitSandbox", { sandboxId }, call);
  }

  /** SandboxStatus. */
  status(
    sandboxId: string,
    verbose = false,
  ): Promise<ResponseOf<typeof Sandbox.methods.SandboxStatus>> {
    return this.#client.call("SandboxStatus", { sandboxId, verbose });
  }

  /** PingSandbox. */
  ping(sandboxId: string): Promise<unknown> {
    return this.#client.call("PingSandbox", { sandboxId });
  }

  /** ShutdownSandbox. */
  shutdown(sandboxId: string, call?: FakeCall): Promise<unknown> {
    return this.#client.call("ShutdownSandbox", { sandboxId }, call);
  }

  /** SandboxMetrics. */
  metrics(
    sandboxId: string,
  ): Promise<ResponseOf<typeof Sandbox.methods.SandboxMetrics>> {
    return this.#client.call("SandboxMetrics", { sandboxId });
  }
}

/** Calls the Task service. */
export function taskClient(shim: Shim): ServiceClient<typeof TaskV3> {
  return new ServiceClient(TaskV3, shim.calls.watch(taskHandlers(shim)));
}

/** Calls the ShimDiag service. */
export function diagClient(shim: Shim): ServiceClient<typeof ShimDiag> {
  return new ServiceClient(ShimDiag, shim.calls.watch(diagHandlers(shim)));
}
