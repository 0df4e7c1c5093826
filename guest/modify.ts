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
  MappedVirtualDisk,
  type ModifyRequest,
  NetworkAdapter,
  SCSIDevice,
} from "../bridge/messages.gen.ts";
import type { Container } from "./container.ts";
import type { GuestPorts } from "./ports.ts";
import { combineLayers, separateLayers } from "./storage/overlay.ts";

/** Resources of the protocol that this agent cannot change yet. */
const unsupported = new Set([
  "MappedDirectory",
  "VPMemDevice",
  "VPCIDevice",
  "SecurityPolicy",
  "SecurityPolicyFragment",
]);

/** Resources that this agent changes. */
const supported = new Set([
  "SCSIDevice",
  "MappedVirtualDisk",
  "CombinedLayers",
  "Network",
  "ContainerConstraints",
  "PodCgroupMemoryLimit",
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
  if (supported.has(type) || unsupported.has(type)) return request;
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

function unsupportedType(request: ModifyRequest): ShimError {
  return new ShimError(
    "InvalidArgument",
    `Cannot modify ${request.ResourceType}: the RequestType ` +
      `"${request.RequestType}" is not supported`,
  );
}

/**
 * Changes the VM.
 *
 * @param signal Ends waits for devices.
 */
export async function modifyVm(
  ports: GuestPorts,
  request: ModifyRequest,
  signal: AbortSignal,
): Promise<void> {
  const { ResourceType: resource } = request;
  const type = request.RequestType || "Add";
  switch (resource) {
    case "SCSIDevice": {
      const { Controller = 0, Lun = 0 } = settingsOf(SCSIDevice, request);
      if (type !== "Remove") throw unsupportedType(request);
      return await ports.scsiDevices.unplug(Controller, Lun);
    }
    case "MappedVirtualDisk": {
      const disk = settingsOf(MappedVirtualDisk, request);
      if (type === "Add") return await ports.scsiMounts.add(disk);
      if (type === "Remove") return await ports.scsiMounts.remove(disk);
      throw unsupportedType(request);
    }
    case "CombinedLayers": {
      const layers = settingsOf(CombinedLayers, request);
      if (type === "Add") return await combineLayers(layers, ports.log);
      if (type === "Remove") return await separateLayers(layers, ports.log);
      throw unsupportedType(request);
    }
    case "Network": {
      const adapter = settingsOf(NetworkAdapter, request);
      const { networks } = ports;
      if (type === "Add") return await networks.addAdapter(adapter, signal);
      if (type === "Remove") return networks.removeAdapter(adapter);
      throw unsupportedType(request);
    }
    case "PodCgroupMemoryLimit": {
      if (type !== "Update") throw unsupportedType(request);
      return void await ports.refreshMemoryLimit();
    }
    case "ContainerConstraints":
      throw new HResultError(
        HResult.SystemNotFound,
        "Cannot modify ContainerConstraints: the request names no container",
      );
    default:
      throw new ShimError(
        "NotImplemented",
        `Cannot modify ${resource}: this guest agent does not support it`,
      );
  }
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
