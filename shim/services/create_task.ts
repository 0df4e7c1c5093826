/**
 * Task.Create: places a container in a sandbox, which it may have to boot first,
 * and creates it.
 *
 * @module
 */

import { abortable } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import { classifyContainer, type ContainerKind } from "../../oci/classify.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import type { CreateTaskRequest } from "../../ttrpc/api/task.gen.ts";
import { requireName } from "../args.ts";
import { memberSpec, sharesNetwork } from "../member_spec.ts";
import { noOptions } from "../options.ts";
import type { Container, Pod } from "../runtime.ts";
import type { Sandbox } from "../sandbox.ts";
import type { Shim } from "../shim.ts";
import { readSpec } from "../spec.ts";
import type { Place, Task } from "../task.ts";

/**
 * Creates a container. When it fails, or its client goes away meanwhile, nothing
 * of it is left.
 *
 * @param shim Owner of the task.
 * @param request What containerd asks for.
 * @param signal Aborts when the client is gone.
 */
export async function createTask(
  shim: Shim,
  request: CreateTaskRequest,
  signal: AbortSignal,
): Promise<void> {
  requireName("container id", request.id);
  const task = shim.addTask(request);
  try {
    const spec = await readSpec(request.bundle);
    const place = await placeTask(shim, task, spec, signal);
    // A workload that comes early waits for the network, too.
    await place.pod.setupNetwork(signal);
    const container = await buildContainer(
      shim,
      place,
      request,
      spec,
      signal,
    );
    task.created(container);
  } catch (error) {
    // Before the pod is looked at: of several that fail the last one ends it.
    task.failed();
    // While the id is taken: whoever has it next finds the endpoints free.
    if (task.place !== undefined) await endPod(shim, task.place);
    shim.removeTask(task);
    if (task.place !== undefined) await shim.dropImplicit(task.place.sandbox);
    throw error;
  }
}

/** A pod that is left without a container ends, before its VM may. */
async function endPod(shim: Shim, { pod }: Place): Promise<void> {
  if (shim.tasksOfPod(pod.id).some((task) => !task.isGone)) return;
  try {
    await pod.teardownNetwork();
  } catch (error) {
    shim.log.warn("The network of a failed create could not be taken down", {
      pod: pod.id,
      error: messageOf(error),
    });
  }
}

/**
 * The role of a container and its pod.
 *
 * A sandbox that CRI's `shim` sandboxer made has no sandbox container: its
 * containers name the sandbox itself, and each of them stands alone in the VM.
 */
function roleOf(
  shim: Shim,
  id: string,
  { annotations }: Spec,
): { kind: ContainerKind; podId: string } {
  const { kind, sandboxId = id } = classifyContainer(annotations);
  const { sandbox } = shim;
  const isOwn = kind === "workload" && sandbox !== undefined &&
    !sandbox.config.implicit && sandbox.id === sandboxId &&
    !sandbox.pods.has(sandboxId);
  return isOwn ? { kind: "standalone", podId: id } : { kind, podId: sandboxId };
}

/** True for a container whose pod is the sandbox that a client asked for. */
function isMember({ kind, sandbox }: Place): boolean {
  return kind === "standalone" && !sandbox.config.implicit;
}

/** Finds or makes the sandbox and the pod. */
async function placeTask(
  shim: Shim,
  task: Task,
  spec: Spec,
  signal: AbortSignal,
): Promise<Place> {
  const { kind, podId } = roleOf(shim, task.id, spec);
  requireName("sandbox id", podId);
  if (kind !== "workload") requireNoEndpoints(spec);
  const known = shim.sandbox;
  const sandbox = known ??
    await bootImplicit(shim, task, kind === "workload", podId, spec, signal);
  try {
    await abortable(sandbox.ready, signal);
    sandbox.requireRunning();
    const pod = kind === "workload"
      ? existingPod(sandbox, podId)
      : sandbox.addPod(podId, spec.windows?.network?.networkNamespace ?? "");
    const place = { sandbox, pod, kind };
    task.settle(place);
    return place;
  } catch (error) {
    // The task has no place yet by which its VM could be found.
    if (known === undefined) await shim.dropImplicit(sandbox);
    throw error;
  }
}

function existingPod(sandbox: Sandbox, podId: string): Pod {
  const pod = sandbox.pods.get(podId);
  if (pod !== undefined) return pod;
  throw new ShimError(
    "NotFound",
    `Pod "${podId}" not found: its sandbox container must be created first`,
  );
}

/** The network of a pod comes from its namespace, never from the specification. */
function requireNoEndpoints(spec: Spec): void {
  const endpoints = spec.windows?.network?.endpointList ?? [];
  if (endpoints.length === 0) return;
  throw new ShimError(
    "InvalidArgument",
    "The specification has an unsupported network configuration: endpoints " +
      "should not be part of spec, name a network namespace instead",
  );
}

/** Boots a VM for a task that no CreateSandbox prepared. */
async function bootImplicit(
  shim: Shim,
  task: Task,
  isWorkload: boolean,
  sandboxId: string,
  spec: Spec,
  signal: AbortSignal,
): Promise<Sandbox> {
  if (isWorkload) {
    throw new ShimError(
      "NotFound",
      `Pod "${sandboxId}" not found: the sandbox of container "${task.id}" is not here`,
    );
  }
  return await shim.addSandbox({
    id: sandboxId,
    bundle: task.request.bundle,
    options: await shim.options ?? noOptions(),
    annotations: spec.annotations ?? {},
    devices: (spec.windows?.devices ?? []).map(({ id, idType }) => ({
      id,
      idType,
    })),
    netnsPath: "",
    implicit: true,
  }, signal);
}

/**
 * Creates a container with the specification that fits its place.
 *
 * @param create Creates it with that one.
 */
async function createIn(
  place: Place,
  spec: Spec,
  create: (spec: Spec) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  if (!isMember(place)) return await create(spec);
  const { sandbox } = place;
  const named = spec.windows?.network?.networkNamespace ?? "";
  const isShared = sharesNetwork(spec) &&
    (named === "" || sandbox.isOwnNetwork(named));
  const network = isShared ? sandbox.network : undefined;
  if (network === undefined) return await create(memberSpec(spec));
  await network.join((id) => create(memberSpec(spec, id)), signal);
}

async function buildContainer(
  shim: Shim,
  place: Place,
  request: CreateTaskRequest,
  spec: Spec,
  signal: AbortSignal,
): Promise<Container> {
  const { id, bundle, rootfs, terminal, stdin, stdout, stderr } = request;
  const { sandbox, pod } = place;
  const { platform } = await shim.runtime;
  const layers = await platform.layers({
    rootfs,
    layerFolders: spec.windows?.layerFolders ?? [],
    rootPath: spec.root?.path ?? "",
    bundle,
  });
  const container = pod.newContainer(id);
  const stdio = { terminal, stdin, stdout, stderr };
  const { options } = sandbox.config;
  await createIn(
    place,
    spec,
    (spec) =>
      container.create({ bundle, spec, layers, stdio, options }, signal),
    signal,
  );
  if (signal.aborted || sandbox.vmState !== "Running") {
    // A VM that has ended meanwhile has told so to the containers of then.
    await undo(shim, id, container);
    signal.throwIfAborted();
    sandbox.requireRunning();
  }
  return container;
}

/** Deletes a container that was finished when nobody waited for it any more. */
async function undo(
  shim: Shim,
  id: string,
  container: Container,
): Promise<void> {
  try {
    await container.deleteProcess("");
  } catch (error) {
    shim.log.warn("A container that nobody waits for could not be deleted", {
      cid: id,
      error: messageOf(error),
    });
  }
}
