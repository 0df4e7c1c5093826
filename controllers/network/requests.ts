/**
 * The requests that change adapters: one to the host, one to the guest. Both are
 * pure.
 *
 * @module
 */

import { NetworkAdapter as GuestAdapterCodec } from "../../bridge/messages.gen.ts";
import { NetworkAdapter as HostAdapterCodec } from "../../hcs/documents.gen.ts";
import type {
  Endpoint,
  GuestAdapter,
  GuestRequest,
  HostRequest,
} from "./peers.ts";

/**
 * Asks the host to change an adapter of the VM. A Remove repeats the settings of
 * its Add; an Update is never sent, and has the same form.
 *
 * @param type What is done.
 * @param id GUID of the adapter, lower case.
 * @param endpoint The endpoint behind it.
 */
export function hostAdapterRequest(
  type: "Add" | "Remove" | "Update",
  id: string,
  { id: EndpointId, macAddress: MacAddress }: Pick<
    Endpoint,
    "id" | "macAddress"
  >,
): HostRequest {
  return {
    ResourcePath: `VirtualMachine/Devices/NetworkAdapters/${id}`,
    RequestType: type,
    Settings: HostAdapterCodec.encode({ EndpointId, MacAddress }),
  };
}

/**
 * Tells the guest of an adapter that the host has added or is about to remove.
 *
 * @param type What is done.
 * @param adapter For a Remove, `NamespaceID` and `ID` alone.
 * @throws {ShimError} InvalidArgument naming a number that does not fit.
 */
export function guestAdapterRequest(
  type: "Add" | "Remove",
  adapter: GuestAdapter,
): GuestRequest {
  return {
    ResourceType: "Network",
    RequestType: type,
    Settings: GuestAdapterCodec.encode(adapter),
  };
}
