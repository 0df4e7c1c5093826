/**
 * A host whose services are called in spans: one per call of the compute service
 * and of the network service, whatever implements them.
 *
 * @module
 */

import type { Json } from "../base/json.ts";
import type { SpanAttributes, Tracer } from "../base/trace.ts";
import type {
  ComputeHost,
  ComputeSystem,
  HostNetwork,
  WindowsHost,
} from "./ports.ts";

/** What a modify request is about. */
function requestAttributes(request: Json): SpanAttributes {
  if (typeof request !== "object" || request === null) return {};
  const { ResourcePath: path, RequestType: type } = request as Readonly<
    Record<string, unknown>
  >;
  return {
    ...(typeof path === "string" && { "resource-path": path }),
    ...(typeof type === "string" && { "request-type": type }),
  };
}

function tracedSystem(system: ComputeSystem, tracer: Tracer): ComputeSystem {
  const { id, runtimeId } = system;
  const traced = <T>(
    name: string,
    task: () => Promise<T>,
    more: SpanAttributes = {},
  ): Promise<T> => tracer.span("hcs", name, { "uvm-id": id, ...more }, task);
  return {
    id,
    runtimeId,
    exited: system.exited,
    start: (signal) => traced("start", () => system.start(signal)),
    modify: (request) =>
      traced(
        "modify",
        () => system.modify(request),
        requestAttributes(request),
      ),
    properties: (query) => traced("properties", () => system.properties(query)),
    terminate: () => traced("terminate", () => system.terminate()),
    close: () => traced("close", () => system.close()),
  };
}

function tracedCompute(compute: ComputeHost, tracer: Tracer): ComputeHost {
  const traced = <T>(
    name: string,
    attributes: SpanAttributes,
    task: () => Promise<T>,
  ): Promise<T> => tracer.span("hcs", name, attributes, task);
  const uvm = (id: string): SpanAttributes => ({ "uvm-id": id });
  return {
    create: async (id, document, signal) => {
      const create = (): Promise<ComputeSystem> =>
        compute.create(id, document, signal);
      return tracedSystem(await traced("create", uvm(id), create), tracer);
    },
    open: async (id) => {
      const open = (): Promise<ComputeSystem> => compute.open(id);
      return tracedSystem(await traced("open", uvm(id), open), tracer);
    },
    enumerate: (query) =>
      traced("enumerate", {}, () => compute.enumerate(query)),
    serviceProperties: (query) =>
      traced("serviceProperties", {}, () => compute.serviceProperties(query)),
    grantAccess: (vmId, path) =>
      traced(
        "grantAccess",
        { "host-path": path },
        () => compute.grantAccess(vmId, path),
      ),
    revokeAccess: (vmId, path) =>
      traced(
        "revokeAccess",
        { "host-path": path },
        () => compute.revokeAccess(vmId, path),
      ),
  };
}

function tracedNetwork(network: HostNetwork, tracer: Tracer): HostNetwork {
  const traced = <T>(
    name: string,
    attributes: SpanAttributes,
    task: () => Promise<T>,
  ): Promise<T> => tracer.span("hcn", name, attributes, task);
  return {
    namespace: (id, signal) =>
      traced(
        "namespace",
        { "namespace-id": id },
        () => network.namespace(id, signal),
      ),
    endpoint: (id, signal) =>
      traced(
        "endpoint",
        { "endpoint-id": id },
        () => network.endpoint(id, signal),
      ),
    networks: (signal) =>
      traced("networks", {}, () => network.networks(signal)),
  };
}

/**
 * The same host; calls of its compute service are spans of kind `hcs`, those of
 * its network service of kind `hcn`.
 */
export function tracedHost(host: WindowsHost, tracer: Tracer): WindowsHost {
  return {
    ...host,
    compute: tracedCompute(host.compute, tracer),
    network: tracedNetwork(host.network, tracer),
  };
}
