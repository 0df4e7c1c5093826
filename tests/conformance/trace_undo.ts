/**
 * What a container that was created and deleted again has left on host and guest.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import { objectOf, textOf } from "./json.ts";

/** What a request to the host is about; undefined where nothing is kept. */
function hostKey({ call, configuration }: JsonObject): string | undefined {
  if (call !== "modify") return undefined;
  const { ResourcePath, Settings } = objectOf(configuration);
  const { Name } = objectOf(Settings);
  return Name === undefined
    ? textOf(ResourcePath)
    : `${textOf(ResourcePath)}/${textOf(Name)}`;
}

/** What a request to the guest is about; undefined where nothing is kept. */
function guestKey(
  { name, ContainerId, Request }: JsonObject,
): string | undefined {
  if (name === "Create" || name === "DeleteContainerState") {
    return `container ${textOf(ContainerId)}`;
  }
  const { ResourceType, Settings } = objectOf(Request);
  // Ejects a disk, which the host has attached.
  if (name !== "ModifySettings" || ResourceType === "SCSIDevice") {
    return undefined;
  }
  const { MountPath, ContainerID, ID } = objectOf(Settings);
  return `${textOf(ResourceType)} ${textOf(MountPath ?? ContainerID ?? ID)}`;
}

function isEnd({ name, Request, configuration }: JsonObject): boolean {
  const { RequestType } = objectOf(Request ?? configuration);
  return name === "DeleteContainerState" || RequestType === "Remove";
}

/** What requests to one side leave, and what they take away that was not there. */
function leftOf(
  requests: readonly JsonObject[],
  keyOf: (request: JsonObject) => string | undefined,
): string[] {
  const left = new Set<string>();
  const never: string[] = [];
  for (const request of requests) {
    const key = keyOf(request);
    if (key === undefined) continue;
    if (!isEnd(request)) left.add(key);
    else if (!left.delete(key)) never.push(`never there: ${key}`);
  }
  return [...left, ...never];
}

/**
 * What a create and the delete after it have left.
 *
 * @param host The requests of both to the host, in their order.
 * @param guest The requests of both to the guest.
 * @returns Names of devices and resources; empty when all is gone.
 */
export function leftAfterUndo(
  host: readonly JsonObject[],
  guest: readonly JsonObject[],
): string[] {
  return [...leftOf(host, hostKey), ...leftOf(guest, guestKey)];
}

/** What is expected of a create that only we perform, and of the delete after it. */
export const wholeUndo: JsonObject = {
  reply: { response: {} },
  wasCreated: true,
  left: [],
  // It was never started: nobody hears of an exit.
  events: ["/tasks/create", "/tasks/delete"],
};
