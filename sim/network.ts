/**
 * The network service of the simulated host, on which nobody has made anything.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { HostNetwork } from "../hcs/ports.ts";

function notFound(kind: string, id: string): Promise<never> {
  return Promise.reject(
    new ShimError(
      "NotFound",
      `${kind} ID "${id}" not found: the simulated host has no network; leave windows.network.networkNamespace out of the specification`,
    ),
  );
}

/** A network service without namespaces, endpoints and networks. */
export const emptyNetwork: HostNetwork = {
  namespace: (id) => notFound("Namespace", id),
  endpoint: (id) => notFound("Endpoint", id),
  networks: () => Promise.resolve([]),
};
