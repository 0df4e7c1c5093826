/**
 * Runs the groups of `hcs-modify` in which one operation is one or two requests:
 * each is made by the function or the controller that makes it in the product.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import {
  formatJson,
  type Json,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";
import { silentLogger } from "../../base/log.ts";
import { CombinedLayers } from "../../bridge/messages.gen.ts";
import * as plan9 from "../../controllers/device/plan9/config.ts";
import * as scsi from "../../controllers/device/scsi/config.ts";
import * as vpci from "../../controllers/device/vpci/config.ts";
import { layersRequest } from "../../controllers/linux_container/layers.ts";
import { NetworkController } from "../../controllers/network/controller.ts";
import { hostAdapterRequest } from "../../controllers/network/requests.ts";
import { policyRequest } from "../../controllers/vm/confidential.ts";
import { VmResources } from "../../controllers/vm/resources.ts";
import { ProcessorLimits, VirtualPciDevice } from "../../hcs/documents.gen.ts";
import type { HostEndpoint } from "../../hcs/ports.ts";
import { CallList } from "./call_list.ts";
import { errorOf } from "./errors.ts";
import { listOf, objectOf, objectsOf, plain, textOf } from "./json.ts";

/** What a group of operations needs of a case. */
export type RunOperation = (input: JsonObject) => Promise<JsonObject>;

/** The output of requests that are only made. */
function made(to: "vm" | "guest", request: unknown): JsonObject {
  return { calls: [{ to, request: plain(request) }] };
}

function unknownOperation({ op }: JsonObject): never {
  throw new ShimError("NotImplemented", `no operation is called "${op}"`);
}

function scsiOperation(input: JsonObject): JsonObject {
  const address = {
    controller: Number(input.controller),
    lun: Number(input.lun),
  };
  if (input.op === "remove") return made("vm", scsi.removeRequest(address));
  if (input.op !== "add") unknownOperation(input);
  const disk = objectOf(input.attachment);
  return made(
    "vm",
    scsi.attachRequest(address, {
      hostPath: textOf(disk.Path),
      readOnly: disk.ReadOnly === true,
      type: textOf(disk.Type) as scsi.DiskConfig["type"],
      evdType: textOf(disk.ExtensibleVirtualDiskType),
    }),
  );
}

function plan9Operation(input: JsonObject): JsonObject {
  const share = objectOf(input.share);
  const name = textOf(share.Name);
  if (input.op === "remove") return made("vm", plan9.removeRequest(name));
  if (input.op !== "add") unknownOperation(input);
  const flags = Number(share.Flags ?? 0);
  return made(
    "vm",
    plan9.addRequest(name, {
      hostPath: textOf(share.Path),
      readOnly: (flags & 0x1) !== 0,
      restrict: (flags & 0x80) !== 0,
      allowedNames: listOf(share.AllowedFiles).map(textOf),
    }),
  );
}

function vpciOperation(input: JsonObject): JsonObject {
  const guid = textOf(input.vmbusGuid);
  if (input.op === "remove") return made("vm", vpci.removeRequest(guid));
  if (input.op !== "add") unknownOperation(input);
  const device = VirtualPciDevice.decode(input.device ?? {});
  return made("vm", vpci.assignRequest(guid, device));
}

function guestOperation(input: JsonObject, calls: CallList): Promise<void> {
  const settings = objectOf(input.settings);
  const { guest } = calls.peers;
  const layers = CombinedLayers.decode(settings);
  switch (input.op) {
    case "securityPolicy":
      return guest.modify(policyRequest({
        enforcer: textOf(settings.EnforcerType),
        securityPolicy: textOf(settings.EncodedSecurityPolicy),
      }, {
        reference: textOf(settings.EncodedUVMReference),
        hashEnvelope: textOf(settings.EncodedUVMHashEnvelopeReference),
      }));
    case "policyFragment":
      return new VmResources(calls.peers).addPolicyFragment({
        Fragment: textOf(settings.Fragment),
        MediaType: textOf(settings.MediaType),
      });
    case "addCombinedLayers":
      return guest.modify(layersRequest("Add", layers));
    case "removeCombinedLayers":
      return guest.modify(layersRequest("Remove", layers));
  }
  return unknownOperation(input);
}

/** A change of memory is told to the guest; the guest's part alone is recorded. */
async function memoryLimits(calls: CallList): Promise<JsonObject> {
  await new VmResources(calls.peers).updateMemory(0n);
  const told = calls.take().filter(({ to }) => to === "guest");
  return { calls: told };
}

function resourceOperation(input: JsonObject, calls: CallList): Promise<void> {
  const resources = new VmResources(calls.peers);
  const { sizeInMB, limits, id } = input;
  switch (input.op) {
    case "memory":
      return resources.updateMemory(
        typeof sizeInMB === "bigint" ? sizeInMB : BigInt(Number(sizeInMB)),
      );
    case "cpuLimits":
      return resources.updateProcessors(ProcessorLimits.decode(limits ?? {}));
    case "cpuGroup":
      return resources.updateProcessorGroup(textOf(id));
  }
  return unknownOperation(input);
}

/** An endpoint document of the network service as the port's value. */
function endpointOf(document: Json | undefined): HostEndpoint {
  const endpoint = objectOf(document);
  const dns = objectOf(endpoint.Dns);
  return {
    id: textOf(endpoint.ID),
    name: textOf(endpoint.Name),
    networkId: textOf(endpoint.HostComputeNetwork),
    namespaceId: textOf(endpoint.HostComputeNamespace),
    policies: objectsOf(endpoint.Policies).map(({ Type, Settings }) => ({
      type: textOf(Type),
      settings: Settings ?? null,
    })),
    ipConfigurations: objectsOf(endpoint.IpConfigurations).map((ip) => ({
      ipAddress: textOf(ip.IpAddress),
      prefixLength: Number(ip.PrefixLength ?? 0),
    })),
    dns: {
      domain: textOf(dns.Domain),
      search: listOf(dns.Search).map(textOf),
      serverList: listOf(dns.ServerList).map(textOf),
      options: listOf(dns.Options).map(textOf),
    },
    routes: objectsOf(endpoint.Routes).map((route) => ({
      nextHop: textOf(route.NextHop),
      destinationPrefix: textOf(route.DestinationPrefix),
      metric: Number(route.Metric ?? 0),
    })),
    macAddress: textOf(endpoint.MacAddress),
  };
}

/** A pod's network with one endpoint, whose adapter gets the recorded id. */
async function networkOperation(input: JsonObject): Promise<JsonObject> {
  const calls = new CallList();
  const namespaceId = textOf(input.namespaceId);
  const endpoint = endpointOf(input.endpoint);
  const network = new NetworkController({
    vm: calls.peers.vm,
    guest: {
      ...calls.peers.guest,
      capabilities: {
        SupportedSchemaVersions: [],
        RuntimeOsType: "Linux",
        GuestDefinedCapabilities: { NamespaceAddRequestSupported: true },
      },
    },
    host: {
      namespace: (id) =>
        Promise.resolve({ id, namespaceId: 1, endpointIds: [endpoint.id] }),
      endpoint: () => Promise.resolve(endpoint),
    },
    log: silentLogger,
  }, {
    namespaceId,
    policyBasedRouting: input.policyBasedRouting === true,
  });
  const result: JsonObject = {};
  let ids: readonly string[] = [];
  try {
    await network.setup();
    ids = network.adapters.map(({ id }) => id);
    if (input.op === "remove") {
      calls.take();
      await network.teardown();
    } else if (input.op !== "add") unknownOperation(input);
  } catch (error) {
    result.error = errorOf(error);
    ids = network.adapters.map(({ id }) => id);
  }
  const text = formatJson({ calls: calls.take(), ...result });
  const named = ids.reduce(
    (all, id) => all.replaceAll(id, textOf(input.nicId)),
    text,
  );
  return objectOf(parseJson(named));
}

/** An update is never sent; the function that makes requests has its form. */
function adapterUpdate({ nicId, endpointId }: JsonObject): JsonObject {
  if (endpointId === undefined) return { calls: [] };
  const endpoint = { id: textOf(endpointId), macAddress: "" };
  return made("vm", hostAdapterRequest("Update", textOf(nicId), endpoint));
}

/** Runs an operation and records what it says to host and guest. */
async function recorded(
  input: JsonObject,
  run: (input: JsonObject, calls: CallList) => Promise<void>,
): Promise<JsonObject> {
  const calls = new CallList();
  try {
    await run(input, calls);
    return { calls: calls.take() };
  } catch (error) {
    return { calls: calls.take(), error: errorOf(error) };
  }
}

/** The groups, by name. */
export const operations: Readonly<Record<string, RunOperation>> = {
  "vm-scsi": async (input) => await scsiOperation(input),
  "vm-plan9": async (input) => await plan9Operation(input),
  "vm-vpci": async (input) => await vpciOperation(input),
  "resources": (input) => recorded(input, resourceOperation),
  "guest": (input) =>
    input.op === "podCgroupMemoryLimit"
      ? memoryLimits(new CallList())
      : recorded(input, guestOperation),
  "network": async (input) =>
    input.op === "update"
      ? adapterUpdate(input)
      : await networkOperation(input),
};
