/**
 * The Sandbox service.
 *
 * @module
 */

import { abortable } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import { PodSandboxConfig } from "../../ttrpc/api/cri.gen.ts";
import type { Options } from "../../ttrpc/api/runhcs_options.gen.ts";
import type {
  CreateSandboxRequest,
  Sandbox as SandboxService,
  SandboxStatusResponse,
} from "../../ttrpc/api/sandbox.gen.ts";
import { Platform } from "../../ttrpc/api/types.gen.ts";
import type { Handlers } from "../../ttrpc/handlers.ts";
import { requireName } from "../args.ts";
import { messageName } from "../bootstrap.ts";
import { noOptions, unpackOptions } from "../options.ts";
import type { Sandbox, SandboxConfig } from "../sandbox.ts";
import type { Shim } from "../shim.ts";
import { readSandboxSpec } from "../spec.ts";
import { timestamp } from "../timestamp.ts";
import { packVmStatistics } from "./statistics.ts";

/** Exit status of a VM that failed: ERROR_INTERNAL_ERROR of Windows. */
const failedVm = 1359;

/**
 * The sandbox of an id.
 *
 * @throws {ShimError} NotFound when there is none, or another one.
 */
function find(shim: Shim, id: string): Sandbox {
  const sandbox = shim.sandboxes.get(id);
  if (sandbox !== undefined) return sandbox;
  const present = shim.sandbox;
  throw new ShimError(
    "NotFound",
    present === undefined
      ? `Sandbox "${id}" not found: sandbox has not been created`
      : `Sandbox "${id}" not found: sandbox ID mismatch, this is "${present.id}"`,
  );
}

/** Annotations of the pod: those of CRI's config, when the bundle has none. */
function podConfig(
  options: CreateSandboxRequest["options"],
): PodSandboxConfig | undefined {
  return options !== undefined &&
      messageName(options.typeUrl) === PodSandboxConfig.typeName
    ? PodSandboxConfig.decode(options.value)
    : undefined;
}

/** Options of the request when they are runtime options, else those of `start`. */
async function optionsOf(
  shim: Shim,
  request: CreateSandboxRequest,
): Promise<Options> {
  return await unpackOptions(request.options) ?? await shim.options ??
    noOptions();
}

async function configOf(
  shim: Shim,
  request: CreateSandboxRequest,
): Promise<SandboxConfig> {
  const spec = await readSandboxSpec(request.bundlePath);
  return {
    id: request.sandboxId,
    bundle: request.bundlePath,
    options: await optionsOf(shim, request),
    annotations: {
      ...(spec.annotations ?? podConfig(request.options)?.annotations),
      ...request.annotations,
    },
    devices: spec.devices,
    netnsPath: request.netnsPath,
    implicit: false,
  };
}

/** State as CRI names it, and the times that belong to it. */
function statusOf(sandbox: Sandbox): Partial<SandboxStatusResponse> {
  const state = sandbox.vmState;
  const vm = state === "NotCreated" ? undefined : sandbox.vm;
  const createdAt = vm?.startedAt;
  const exitedAt = state === "Terminated" ? vm?.stoppedAt : undefined;
  return {
    sandboxId: sandbox.id,
    pid: Deno.pid,
    state: state === "Running" ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
    ...(createdAt === undefined ? {} : { createdAt: timestamp(createdAt) }),
    ...(exitedAt === undefined ? {} : { exitedAt: timestamp(exitedAt) }),
  };
}

/** Details for people, when the request is verbose. */
async function infoOf(
  sandbox: Sandbox,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { netnsPath } = sandbox.config;
  const { error } = sandbox.vmState === "Terminated"
    ? await abortable(sandbox.vm.exited, signal)
    : {};
  return {
    pid: String(Deno.pid),
    state: sandbox.vmState,
    ...(netnsPath === "" ? {} : { networkSandboxPath: netnsPath }),
    ...(error === undefined ? {} : { error: messageOf(error) }),
  };
}

/** Handlers of the Sandbox service. */
export function sandboxHandlers(shim: Shim): Handlers<typeof SandboxService> {
  return {
    CreateSandbox: async (request, { signal }) => {
      requireName("sandbox id", request.sandboxId);
      shim.requireNoSandbox();
      await shim.addSandbox(await configOf(shim, request), signal);
      return {};
    },
    StartSandbox: async ({ sandboxId }, { signal }) => {
      if (shim.sandbox === undefined) {
        throw new ShimError(
          "FailedPrecondition",
          `Cannot start sandbox "${sandboxId}": sandbox has not been created`,
        );
      }
      const sandbox = find(shim, sandboxId);
      await abortable(sandbox.ready, signal);
      await sandbox.start(signal);
      const startedAt = sandbox.vm.startedAt;
      return {
        pid: Deno.pid,
        ...(startedAt === undefined ? {} : { createdAt: timestamp(startedAt) }),
      };
    },
    Platform: ({ sandboxId }) =>
      Promise.try(() => {
        const sandbox = find(shim, sandboxId);
        if (sandbox.vmState === "NotCreated") {
          throw new ShimError(
            "FailedPrecondition",
            `Cannot tell the platform of sandbox "${sandboxId}": sandbox has not been created yet`,
          );
        }
        const architecture = sandbox.vm.sandboxOptions?.architecture ?? "";
        const platform = Platform.decode(new Uint8Array());
        return { platform: { ...platform, os: "linux", architecture } };
      }),
    StopSandbox: async ({ sandboxId }) => {
      await find(shim, sandboxId).stop();
      return {};
    },
    WaitSandbox: async ({ sandboxId }, { signal }) => {
      const sandbox = find(shim, sandboxId);
      // One whose create fails has no end.
      await abortable(sandbox.ready, signal);
      const { at, error } = await abortable(sandbox.ended, signal);
      return {
        exitStatus: error === undefined ? 0 : failedVm,
        exitedAt: timestamp(at),
      };
    },
    SandboxStatus: async ({ sandboxId, verbose }, { signal }) => {
      const sandbox = find(shim, sandboxId);
      const status = statusOf(sandbox);
      if (!verbose) return status;
      return { ...status, info: await infoOf(sandbox, signal) };
    },
    PingSandbox: ({ sandboxId }) =>
      Promise.try(() => {
        find(shim, sandboxId);
        return {};
      }),
    ShutdownSandbox: async ({ sandboxId }, call) => {
      // This is what follows a failed create, too.
      if (!shim.isEmpty) find(shim, sandboxId);
      call.afterReply(() => shim.end("ShutdownSandbox"));
      await shim.vacate("ShutdownSandbox", shim.timeouts.shutdown);
      find(shim, sandboxId);
      return {};
    },
    SandboxMetrics: async ({ sandboxId }) => {
      const stats = await find(shim, sandboxId).vm.stats();
      return {
        metrics: {
          timestamp: timestamp(shim.clock.now()),
          id: sandboxId,
          data: packVmStatistics(stats),
        },
      };
    },
  };
}
