/**
 * Making a container (`spec/guest-runtime.md` 4.2).
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { HResult, HResultError, sameCondition } from "../base/hresult.ts";
import {
  ContainerDocument,
  type CreateRequest,
} from "../bridge/messages.gen.ts";
import type { Logger } from "../base/log.ts";
import { containerAnnotations } from "../oci/annotations.ts";
import { Spec } from "../oci/spec.gen.ts";
import { Container, type ContainerOptions } from "./container.ts";
import type { Containers } from "./containers.ts";
import { killRemaining } from "./kill_remaining.ts";
import { attachNetwork } from "./network/container_network.ts";
import { type Pods, resolvePodIdentity } from "./pods.ts";
import type { GuestPorts } from "./ports.ts";
import { requireConfidentialContainer } from "./policy/confidential_container.ts";
import { askForContainer } from "./policy/container.ts";
import { showSecurityContext } from "./policy/security_context.ts";
import { ProcessPipes } from "./process/pipes.ts";
import { GuestProcess } from "./process/process.ts";
import { Rollback } from "./rollback.ts";
import type {
  OciRuntime,
  ProcessStdio,
  RuntimeProcess,
} from "./runtime/runtime.ts";
import {
  applyLogMount,
  useHostNetwork,
  wantsHostNetwork,
} from "./spec/annotations.ts";
import { makeWorkingFolder } from "./spec/working_folder.ts";
import { setUp } from "./spec/setup.ts";
import { prepareTeeLog } from "./spec/tee_log.ts";
import { close } from "../ffi/linux/files.ts";
import { joinPath, refuseLinks, writeNewFile } from "./storage/paths.ts";
import {
  removeEmptyPod,
  removeMountPoint,
  sweepMounts,
} from "./storage/unmount.ts";
import { namesIn } from "./wait.ts";

/** What making a container works with. */
export interface CreateContext {
  /** The VM. */
  readonly ports: GuestPorts;
  /** Its containers. */
  readonly containers: Containers;
  /** Its pods. */
  readonly pods: Pods;
  /** Tells the host that a container has ended; at most once. */
  readonly onEnd: (container: Container) => void;
}

/** What runc and crun take; no other id becomes part of a path. */
const idForm = /^[\w+.-]{1,255}$/;

/** Lowest version of the document, `major * 1000 + minor`. */
const lowestVersion = 2001;

/**
 * Checks a folder that the end of the container removes.
 *
 * @throws {ShimError} InvalidArgument unless it is absolute, clean and deep.
 */
function requireFolder(path: string, member: string): void {
  const deep = path.split("/").length > 2;
  if (deep && path === joinPath(path)) return;
  throw new ShimError(
    "InvalidArgument",
    `Invalid ${member} "${path}": it must be an absolute path without "." ` +
      "and with at least two components",
  );
}

/**
 * Reads the document of a create.
 *
 * @throws {HResultError} InvalidJson.
 */
export function parseDocument(
  id: string,
  request: Pick<CreateRequest, "ContainerConfig" | "ActivityId">,
): ContainerOptions {
  const invalid = (reason: string, cause?: unknown): HResultError =>
    new HResultError(
      HResult.InvalidJson,
      `Cannot create container "${id}": ${reason}`,
      { cause },
    );
  let document: ContainerDocument;
  let spec: Spec;
  try {
    document = ContainerDocument.parse(request.ContainerConfig);
    spec = Spec.decode(document.OciSpecification, "$.OciSpecification");
  } catch (error) {
    throw invalid(`ContainerConfig: ${messageOf(error)}`, error);
  }
  const { Major, Minor } = document.SchemaVersion;
  if (Major * 1000 + Minor < lowestVersion) {
    throw invalid(`invalid schema version: {${Major} ${Minor}}`);
  }
  if (spec.root === undefined || spec.process === undefined) {
    throw invalid("OciSpecification has no root or no process");
  }
  if (!idForm.test(id) || id === "." || id === "..") {
    throw new HResultError(
      HResult.InvalidArgument,
      `Cannot create container ${JSON.stringify(id.slice(0, 300))}: invalid ` +
        "container ID format",
    );
  }
  const { OciBundlePath: bundle, ScratchDirPath: scratch } = document;
  const identity = resolvePodIdentity(id, bundle, spec.annotations);
  requireFolder(bundle, "OciBundlePath");
  if (scratch !== "") requireFolder(scratch, "ScratchDirPath");
  const { ActivityId: activityId } = request;
  return { id, activityId, identity, bundle, scratch, spec };
}

/**
 * Makes a container; its init waits for the start.
 *
 * @throws {ShimError} The first failure; everything is undone then.
 */
export async function createContainer(
  context: CreateContext,
  options: ContainerOptions,
): Promise<void> {
  const { containers, pods, ports } = context;
  const what = `create container "${options.id}"`;
  const { confidential } = ports.storage;
  confidential.requireConsistent(what);
  if (confidential.isActive) {
    requireConfidentialContainer(options, confidential.containers);
  }
  // What is removed with the container, and written to: not what a link on a
  // disk leads to.
  const { bundle, scratch } = options;
  await refuseLinks(bundle);
  if (scratch !== "") await refuseLinks(scratch);
  const root = options.spec.root?.path ?? "";
  if (root.startsWith("/")) await refuseLinks(joinPath(root));
  // Layers of a failed create are bound over the bundle. Those of a confidential
  // VM are recorded: the host takes them apart, only what was made here goes.
  const before = confidential.isActive ? await namesIn(bundle) : undefined;
  const container = new Container(options);
  containers.add(container);
  const log = ports.log.child({ cid: container.id });
  const rollback = new Rollback(log);
  rollback.add(
    "registration",
    () => Promise.resolve(containers.remove(container)),
  );
  rollback.add("bundle", async () => {
    if (before === undefined) await sweepMounts(bundle, { log });
    else await removeOthers(bundle, before, log);
    await removeEmptyPod(bundle);
  });
  const devices = structuredClone(options.spec.linux?.devices ?? []);
  try {
    await setUp({ container, pods, ports, rollback });
    await applyLogMount(options.spec, container.sandboxRoot);
    await askForContainer(ports, container, devices);
    await keepLog(container);
    const { contextFiles } = ports.policy;
    await showSecurityContext(options.spec, contextFiles, { rollback, log });
    await chooseNetwork(context, container);
    await makeProcess(context, container, rollback);
    await attachNetwork(container, ports, rollback);
    // Its init may have ended already.
    if (container.state.is("Creating")) container.state.to("create");
  } catch (error) {
    await rollback.run();
    throw error;
  }
}

/** Removes what has come into a folder, and the folder when it is empty. */
async function removeOthers(
  folder: string,
  before: readonly string[],
  log: Logger,
): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!before.includes(name)) await sweepMounts(`${folder}/${name}`, { log });
  }
  await removeMountPoint(folder);
}

/** The output of an init goes to a file, too, when its streams are allowed. */
async function keepLog(container: Container): Promise<void> {
  const { id, sandboxRoot, allowStdio, options: { spec } } = container;
  if (!allowStdio && spec.annotations?.[containerAnnotations.teeLogPath]) {
    throw new ShimError(
      "PermissionDenied",
      `Cannot create container "${id}": its output cannot be kept in a file, ` +
        "because the policy denies its streams",
    );
  }
  container.teeLogPath = await prepareTeeLog(spec, sandboxRoot);
}

/** A workload uses the network that its sandbox uses. */
async function chooseNetwork(
  { containers, ports }: CreateContext,
  container: Container,
): Promise<void> {
  const { id, options: { identity, spec } } = container;
  const annotations = identity.role === "workload"
    ? containers.annotationsOf(identity.sandboxId)
    : spec.annotations;
  if (!wantsHostNetwork(annotations, ports.log)) return;
  await ports.policy.ask({ name: "host network", id });
  useHostNetwork(spec);
}

/**
 * Makes a container of an id that the agent does not know. What a delete that
 * failed has left in the runtime goes before.
 */
async function createAnew(
  runtime: OciRuntime,
  id: string,
  bundle: string,
  stdio: ProcessStdio,
): Promise<RuntimeProcess> {
  try {
    return await runtime.create(id, bundle, stdio);
  } catch (error) {
    const isLeft = error instanceof HResultError &&
      sameCondition(error.hresult, HResult.SystemAlreadyExists);
    if (!isLeft) throw error;
    await runtime.delete(id, { force: true });
    return await runtime.create(id, bundle, stdio);
  }
}

async function makeProcess(
  context: CreateContext,
  container: Container,
  rollback: Rollback,
): Promise<void> {
  const { ports } = context;
  const { id, options: { bundle, spec } } = container;
  await Deno.mkdir(bundle, { recursive: true, mode: 0o700 });
  await writeNewFile(`${bundle}/config.json`, Spec.format(spec));
  await makeWorkingFolder(spec, spec.process?.cwd ?? "", ports.log);
  const runtime = await ports.runtime();
  rollback.add(
    "container of the runtime",
    () => runtime.delete(id, { force: true }),
  );
  if (spec.process?.terminal) {
    const made = await createAnew(runtime, id, bundle, "terminal");
    container.terminal = made.terminal;
    watchInit(context, container, made.pid);
    return;
  }
  const pipes = new ProcessPipes({ stdin: true, stdout: true, stderr: true });
  container.pipes = pipes;
  rollback.add("pipes", () => Promise.resolve(pipes.close()));
  try {
    const made = await createAnew(runtime, id, bundle, pipes.child);
    watchInit(context, container, made.pid);
  } finally {
    pipes.closeChild();
  }
}

/** The container is there: its end is seen from now on. */
function watchInit(
  context: CreateContext,
  container: Container,
  pid: number,
): void {
  const { ports, onEnd } = context;
  const init = new GuestProcess(pid, ports, () => onEnd(container));
  init.argv = container.options.spec.process?.args ?? [];
  container.init = init;
  ports.reaper.watch(pid, (code) => {
    init.exited(code);
    endContainer(ports, container).catch((error) =>
      ports.log.error("Cannot end container", {
        cid: container.id,
        error: messageOf(error),
      })
    );
  });
}

/** The init has ended: what it left ends, its output is handed over. */
async function endContainer(
  ports: GuestPorts,
  container: Container,
): Promise<void> {
  try {
    if (!container.ownsPidNamespace) await killRemaining(ports, container);
  } catch (error) {
    // Who is left may hold the output, whose end the relay bounds.
    ports.log.warn("Cannot end what a container left", {
      cid: container.id,
      error: messageOf(error),
    });
  }
  try {
    // What nobody attached is closed, so that the pipes do not stay.
    container.pipes?.close();
    if (container.terminal !== undefined) close(container.terminal);
    container.terminal = undefined;
    await container.init?.relay?.finish();
  } finally {
    await container.teeLog?.close();
    container.state.to("exit");
    container.init?.finish();
  }
}
