/**
 * Changing the VM and its containers (`spec/guest-protocol.md` 7).
 *
 * @module
 */

import type { Codec } from "../base/codec.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import {
  CombinedLayers,
  ContainerConstraints,
  MappedDirectory,
  MappedVirtualDisk,
  type ModifyRequest,
  NetworkAdapter,
  SCSIDevice,
  SecurityPolicy,
  SecurityPolicyFragment,
  VPCIDevice,
  VPMemDevice,
} from "../bridge/messages.gen.ts";
import type { Container } from "./container.ts";
import type { Containers } from "./containers.ts";
import type { GuestPorts } from "./ports.ts";

/** What changing the VM works with. */
export interface ModifyContext {
  /** The VM. */
  readonly ports: GuestPorts;
  /** Its containers. */
  readonly containers: Containers;
  /** Aborts when the agent quits. */
  readonly signal: AbortSignal;
}

/** Does what a request asks for. */
type Action<T> = (context: ModifyContext, settings: T) => Promise<unknown>;

/** Actions by the RequestType; a missing one is not supported. */
type Actions<T> = Readonly<
  Partial<Record<"Add" | "Remove" | "Update", Action<T>>>
>;

/** Handles the requests about one resource. */
type Resource = (
  context: ModifyContext,
  request: ModifyRequest,
) => Promise<unknown>;

/** A resource whose settings are read before the RequestType is looked at. */
function resource<T>(codec: Codec<T>, actions: Actions<T>): Resource {
  return async (context, request) => {
    const settings = settingsOf(codec, request);
    await actionOf(actions, request)(context, settings);
  };
}

/** A resource without settings. */
function bareResource(actions: Actions<undefined>): Resource {
  return (context, request) => actionOf(actions, request)(context, undefined);
}

/** A resource that is only set: its RequestType says nothing. */
function setResource<T>(codec: Codec<T>, action: Action<T>): Resource {
  return (context, request) => action(context, settingsOf(codec, request));
}

/** The resources of a VM. */
const resources: ReadonlyMap<string, Resource> = new Map([
  [
    "SCSIDevice",
    resource(SCSIDevice, {
      Remove: ({ ports, signal }, device) =>
        ports.storage.unplug(device, signal),
    }),
  ],
  [
    "MappedVirtualDisk",
    resource(MappedVirtualDisk, {
      Add: ({ ports, signal }, disk) => ports.storage.addDisk(disk, signal),
      Remove: ({ ports, signal }, disk) =>
        ports.storage.removeDisk(disk, signal),
    }),
  ],
  [
    "MappedDirectory",
    resource(MappedDirectory, {
      Add: ({ ports, signal }, share) => ports.storage.addShare(share, signal),
      Remove: ({ ports }, share) => ports.storage.removeShare(share),
    }),
  ],
  [
    "VPMemDevice",
    resource(VPMemDevice, {
      Add: ({ ports, signal }, device) => ports.storage.addPmem(device, signal),
      Remove: ({ ports }, device) => ports.storage.removePmem(device),
    }),
  ],
  [
    "VPCIDevice",
    resource(VPCIDevice, {
      Add: ({ ports, signal }, device) => ports.storage.addPci(device, signal),
    }),
  ],
  [
    "CombinedLayers",
    resource(CombinedLayers, {
      Add: ({ ports }, layers) => ports.storage.combine(layers),
      Remove: ({ ports, containers }, layers) =>
        ports.storage.separate(layers, containers),
    }),
  ],
  [
    "PodCgroupMemoryLimit",
    bareResource({ Update: ({ ports }) => ports.refreshMemoryLimit() }),
  ],
  [
    "ContainerConstraints",
    () => {
      throw new HResultError(
        HResult.SystemNotFound,
        "Cannot modify ContainerConstraints: the request names no container",
      );
    },
  ],
  [
    "Network",
    resource(NetworkAdapter, {
      Add: ({ ports, signal }, adapter) =>
        ports.networks.addAdapter(adapter, signal),
      Remove: ({ ports }, adapter) =>
        Promise.resolve(ports.networks.removeAdapter(adapter)),
    }),
  ],
  [
    "SecurityPolicy",
    setResource(
      SecurityPolicy,
      ({ ports }, settings) => ports.policy.set(settings),
    ),
  ],
  [
    "SecurityPolicyFragment",
    setResource(
      SecurityPolicyFragment,
      ({ ports }, fragment) => ports.policy.addFragment(fragment),
    ),
  ],
]);

/**
 * Checks what a request is about.
 *
 * @throws {HResultError} InvalidJson without a request.
 * @throws {ShimError} For a resource that the protocol does not have.
 */
export function requireResource(
  request: ModifyRequest | undefined,
): ModifyRequest {
  if (request === undefined) {
    throw new HResultError(
      HResult.InvalidJson,
      "Cannot modify: the message has no Request",
    );
  }
  const { ResourceType: type = "" } = request;
  if (resources.has(type)) return request;
  throw new ShimError("InvalidArgument", `Invalid ResourceType '${type}'`);
}

/** Reads the settings of a request. */
function settingsOf<T>(codec: Codec<T>, request: ModifyRequest): T {
  const { ResourceType, Settings } = request;
  const invalid = (reason: string, cause?: unknown): HResultError =>
    new HResultError(
      HResult.InvalidJson,
      `Cannot modify ${ResourceType}: ${reason}`,
      { cause },
    );
  if (Settings === undefined || Settings === null) {
    throw invalid("the request has no Settings");
  }
  try {
    return codec.decode(Settings, "$.Request.Settings");
  } catch (cause) {
    throw invalid(messageOf(cause), cause);
  }
}

/** @throws {ShimError} InvalidArgument for a RequestType without an action. */
function actionOf<T>(actions: Actions<T>, request: ModifyRequest): Action<T> {
  const type = request.RequestType || "Add";
  const action = Object.hasOwn(actions, type)
    ? actions[type as keyof Actions<T>]
    : undefined;
  if (action !== undefined) return action;
  throw new ShimError(
    "InvalidArgument",
    `Cannot modify ${request.ResourceType}: the RequestType ` +
      `"${request.RequestType}" is not supported`,
  );
}

/**
 * Changes the VM.
 *
 * @param request Checked by {@linkcode requireResource}.
 */
export async function modifyVm(
  context: ModifyContext,
  request: ModifyRequest,
): Promise<void> {
  await resources.get(request.ResourceType ?? "")?.(context, request);
}

/** Changes a container: only its limits can be changed. */
export async function modifyContainer(
  ports: GuestPorts,
  container: Container,
  request: ModifyRequest,
): Promise<void> {
  if (request.ResourceType !== "ContainerConstraints") {
    throw new ShimError(
      "InvalidArgument",
      `Cannot modify container "${container.id}": the ResourceType ` +
        `"${request.ResourceType}" is not supported for containers`,
    );
  }
  const { Linux } = settingsOf(ContainerConstraints, request);
  if (Linux === undefined) return;
  const runtime = await ports.runtime();
  await runtime.update(container.id, Linux);
}
