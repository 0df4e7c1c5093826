/**
 * Forgetting a container (`spec/guest-runtime.md` 10).
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { Container } from "./container.ts";
import type { Containers } from "./containers.ts";
import { detachNetwork } from "./network/container_network.ts";
import type { Pods } from "./pods.ts";
import type { GuestPorts } from "./ports.ts";
import { removeEmptyPod, sweepMounts } from "./storage/unmount.ts";

/** What forgetting a container works with. */
export interface DeleteContext {
  /** The VM. */
  readonly ports: GuestPorts;
  /** Its containers. */
  readonly containers: Containers;
  /** Its pods. */
  readonly pods: Pods;
}

/**
 * Checks that a container of a confidential VM may be forgotten. One that may not
 * stays registered.
 *
 * @throws {ShimError} PermissionDenied while it runs, FailedPrecondition while
 * its root is mounted or after a failed unmount.
 */
function requireDeletable(ports: GuestPorts, container: Container): void {
  const { confidential } = ports.storage;
  const { id, options: { spec } } = container;
  confidential.requireConsistent(`delete container "${id}"`);
  if (!confidential.isActive) return;
  if (container.state.is("Running")) {
    throw new ShimError(
      "PermissionDenied",
      `Denied deleting state of a running container "${id}"`,
    );
  }
  const root = spec.root?.path ?? "";
  if (confidential.hasOverlayAt(root)) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot delete container "${id}": overlay mount still active at "${root}"`,
    );
  }
}

/**
 * Removes what a container left. It is forgotten whatever fails.
 *
 * @throws {ShimError} What could not be removed; the refusal of a confidential
 * VM, which changes nothing.
 */
export async function deleteContainer(
  context: DeleteContext,
  container: Container,
): Promise<void> {
  const { containers, pods } = context;
  requireDeletable(context.ports, container);
  container.stopDialling.abort();
  try {
    await removeContainer(context.ports, container);
  } finally {
    const { role, sandboxId } = container.options.identity;
    await detachNetwork(container, context.ports);
    containers.remove(container);
    if (role !== "standalone") await pods.leave(sandboxId, container.id);
    if (role === "sandbox") pods.unregisterSandboxRoot(container.id);
  }
}

async function removeContainer(
  ports: GuestPorts,
  container: Container,
): Promise<void> {
  const { id, options: { bundle, scratch, identity } } = container;
  const log = ports.log.child({ cid: id });
  const running = container.init !== undefined && !container.init.hasExited;
  if (running) log.warn("Container is deleted before its end", {});
  // Nobody can delete it a second time: what fails must not keep the rest.
  let failure: unknown;
  const attempt = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      failure ??= error;
    }
  };
  if (identity.role === "sandbox") {
    await attempt(() => ports.sandboxMounts.remove(container.sandboxRoot));
  }
  await attempt(async () => {
    const runtime = await ports.runtime();
    await runtime.delete(id, { force: running });
  });
  // The layers and the scratch are mounted over the bundle until the host
  // takes them apart, which it does before or after this.
  const folders = [bundle, scratch, ...rootOfVirtualPod(container)];
  for (const folder of folders) {
    if (folder === "") continue;
    await attempt(async () => {
      if (await sweepMounts(folder, { log })) return;
      throw new Error(`Folder "${folder}" is left`);
    });
  }
  await attempt(() => removeEmptyPod(bundle));
  if (failure !== undefined) throw failure;
}

/** A virtual pod's shared files lie outside of every bundle. */
function rootOfVirtualPod(container: Container): string[] {
  const { identity } = container.options;
  const own = identity.kind === "virtual" && identity.role === "sandbox";
  return own ? [container.sandboxRoot] : [];
}
