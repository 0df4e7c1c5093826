/**
 * A task service on a host with network namespaces, for tests.
 *
 * @module
 */

import { fakeEndpoint } from "../../controllers/network/testing.ts";
import { criSpec, spec, type TaskScene, withTasks } from "./task_scene.ts";

/** A specification with a network namespace; `kind` makes it one of a pod. */
export function networked(namespace: string, kind?: string, pod = ""): string {
  const base = kind === undefined ? spec() : criSpec(kind, pod);
  return JSON.stringify({
    ...JSON.parse(base),
    windows: { network: { networkNamespace: namespace } },
  });
}

/** What VM and guest were asked, in words, since the last call; disks as `disk`. */
export function asked({ vm }: TaskScene): string[] {
  const requests = vm.modified.splice(0) as {
    ResourcePath: string;
    RequestType: string;
    Settings?: { EndpointId?: string };
  }[];
  return requests.map(({ ResourcePath, RequestType, Settings }) =>
    ResourcePath.includes("/NetworkAdapters/")
      ? `${RequestType} ${Settings?.EndpointId}`
      : `${RequestType} disk`
  );
}

/** Requests to the guest about adapters. */
export function guestAdapters({ guest }: TaskScene): Record<string, unknown>[] {
  return guest.callsOf("modify")
    .map(({ argument }) => argument as Record<string, unknown>)
    .filter(({ ResourceType }) => ResourceType === "Network");
}

/** A scene whose host has the namespaces `ns1` (two endpoints) and `ns2`. */
export function withNetwork(
  task: (scene: TaskScene) => Promise<void>,
): Promise<void> {
  return withTasks(async (scene) => {
    scene.network
      .add("ns1", fakeEndpoint("e1"), fakeEndpoint("e2", { name: "eth0" }))
      .add("ns2", fakeEndpoint("e3"));
    await task(scene);
  }, { guest: { exitOnKill: true } });
}

/** Kills and deletes a container. */
export async function remove({ tasks }: TaskScene, id: string): Promise<void> {
  await tasks.call("Kill", { id, signal: 9 });
  await tasks.call("Wait", { id });
  await tasks.call("Delete", { id });
}
