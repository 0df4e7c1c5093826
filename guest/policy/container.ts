/**
 * The questions about a container and its processes
 * (`spec/guest-runtime.md` 4.2, steps 4, 8, 9 and 11; 11.1).
 *
 * @module
 */

import { createHash } from "node:crypto";
import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import {
  AnnotationReader,
  containerAnnotations,
} from "../../oci/annotations.ts";
import {
  type LinuxDevice,
  LinuxSeccomp,
  type Process,
} from "../../oci/spec.gen.ts";
import type { Container } from "../container.ts";
import type { VmPolicy } from "./policy.ts";
import type { Answer, ContainerProcessFacts } from "./questions.ts";

/** What the questions need. */
interface AskContext {
  /** The policy of the VM. */
  readonly policy: VmPolicy;
  /** Lines for the host. */
  readonly log: Logger;
}

async function factsOf(
  { id, options: { spec } }: Container,
  process: Process,
  policy: VmPolicy,
): Promise<ContainerProcessFacts> {
  const user = await policy.userOf(id, process.user, spec.root?.path ?? "/");
  return {
    ...user,
    id,
    argv: process.args ?? [],
    env: process.env ?? [],
    cwd: process.cwd,
    noNewPrivileges: process.noNewPrivileges ?? false,
    capabilities: process.capabilities,
  };
}

/** Hash of a seccomp profile, as Go's `encoding/json` writes the profile. */
function seccompHash(profile: LinuxSeccomp | undefined): string {
  if (profile === undefined) return "";
  const text = LinuxSeccomp.format(profile);
  return createHash("sha256").update(text).digest("hex");
}

/**
 * Does what an answer says. A terminal without streams is refused: its user would
 * wait for ever.
 *
 * @returns False when the process gets no streams.
 * @throws {ShimError} PermissionDenied.
 */
function apply(answer: Answer, process: Process, what: string): boolean {
  const { env, capabilities, allowStdio = true } = answer;
  if (!allowStdio && process.terminal) throw noTerminal(what);
  if (env !== undefined) process.env = [...env];
  if (capabilities !== undefined) process.capabilities = capabilities;
  return allowStdio;
}

/** The refusal of a terminal whose streams are denied. */
export function noTerminal(what: string): ShimError {
  return new ShimError(
    "PermissionDenied",
    `Cannot ${what} with a terminal: its streams are denied due to policy`,
  );
}

/**
 * Asks whether a container may be made, and changes its process and its streams
 * as the answer says.
 *
 * @param container Set up, not made.
 * @param devices Its devices as the host listed them.
 * @throws {ShimError} PermissionDenied.
 */
export async function askForContainer(
  { policy, log }: AskContext,
  container: Container,
  devices: readonly LinuxDevice[],
): Promise<void> {
  const { id, options: { spec, identity } } = container;
  const process = spec.process!;
  const reader = new AnnotationReader(spec.annotations ?? {}, log);
  const answer = await policy.ask({
    name: "container creation",
    ...await factsOf(container, process, policy),
    sandboxId: identity.sandboxId,
    isSandbox: identity.role === "sandbox",
    isPrivileged: reader.bool(containerAnnotations.privileged),
    mounts: spec.mounts ?? [],
    seccomp: seccompHash(spec.linux?.seccomp),
    devices,
  });
  const what = `create container "${id}"`;
  container.allowStdio = apply(answer, process, what);
}

/**
 * Asks whether a further process may run in a container, and changes it as the
 * answer says. A container without streams has no process with streams.
 *
 * @param process As the runtime gets it.
 * @returns False when the process gets no streams.
 * @throws {ShimError} PermissionDenied.
 */
export async function askForExec(
  policy: VmPolicy,
  container: Container,
  process: Process,
): Promise<boolean> {
  const facts = await factsOf(container, process, policy);
  const answer = await policy.ask({ name: "exec in container", ...facts });
  const allowStdio = container.allowStdio && answer.allowStdio !== false;
  const what = `run a process in container "${container.id}"`;
  return apply({ ...answer, allowStdio }, process, what);
}
