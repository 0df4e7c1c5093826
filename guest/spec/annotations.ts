/**
 * What annotations change in a specification (`spec/guest-runtime.md` 7).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import {
  AnnotationReader,
  containerAnnotations,
  wrongAnnotation,
} from "../../oci/annotations.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { addAllDevices, resolveDevices } from "./devices.ts";
import { makeOpenFolder, podFiles } from "./pod_files.ts";
import { refuseLinks } from "../storage/paths.ts";
import { resolveUser } from "./users.ts";

const maxU64 = 2n ** 64n - 1n;

function parseU64(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= maxU64 ? value : undefined;
}

function invalid(
  annotation: string,
  text: string,
  expected: string,
): ShimError {
  return new ShimError(
    "InvalidArgument",
    `Invalid ${wrongAnnotation(annotation, text, expected)}`,
  );
}

/** Adds the limit of core files: `soft;hard`. */
export function applyCoreLimit(spec: Spec): void {
  const name = containerAnnotations.rlimitCore;
  const text = spec.annotations?.[name];
  if (text === undefined) return;
  const [first, second, ...more] = text.split(";");
  const soft = parseU64(first);
  const hard = parseU64(second);
  if (soft === undefined || hard === undefined || more.length > 0) {
    throw invalid(name, text, "soft;hard, both unsigned 64-bit integers");
  }
  if (spec.process === undefined) return;
  spec.process.rlimits ??= [];
  spec.process.rlimits.push({ type: "RLIMIT_CORE", soft, hard });
}

/** Resolves the user name of the container's process, if there is one. */
export async function applyUser(spec: Spec): Promise<void> {
  const { process, root } = spec;
  const username = process?.user.username ?? "";
  if (process === undefined || username === "") return;
  const { uid, gid } = await resolveUser(username, root?.path ?? "/");
  process.user.uid = uid;
  process.user.gid = gid;
}

/** Replaces `/dev/shm` by one of the size that the annotation says. */
function applyShmSize(spec: Spec): void {
  const name = containerAnnotations.shmSizeKb;
  const text = spec.annotations?.[name];
  if (text === undefined) return;
  const size = parseU64(text);
  if (size === undefined || size === 0n) {
    throw invalid(name, text, "a number of KiB greater than 0");
  }
  spec.mounts = (spec.mounts ?? [])
    .filter(({ destination }) => destination !== "/dev/shm");
  spec.mounts.push({
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", `size=${size}k`],
  });
}

/** Size of `/dev/shm`, and the devices: all of them, or those that are listed. */
export async function applyShmAndDevices(
  spec: Spec,
  log: Logger,
): Promise<void> {
  applyShmSize(spec);
  if (isPrivileged(spec, log)) await addAllDevices(spec);
  else await resolveDevices(spec);
}

/** True when the annotations ask for all devices of the VM. */
export function isPrivileged({ annotations }: Spec, log: Logger): boolean {
  const reader = new AnnotationReader(annotations ?? {}, log);
  return reader.bool(containerAnnotations.privileged);
}

/**
 * Shows the logs of the guest in the container, where the annotation says. The
 * folder is made for a container without a sandbox.
 */
export async function applyLogMount(
  spec: Spec,
  sandboxRoot: string,
): Promise<void> {
  const destination = spec.annotations?.[containerAnnotations.teeLogDirMount];
  if (destination === undefined || destination === "") return;
  const source = podFiles(sandboxRoot).logs;
  await refuseLinks(source);
  await makeOpenFolder(source);
  spec.mounts ??= [];
  spec.mounts.push({ destination, type: "bind", source, options: ["bind"] });
}

/** Lets the container use the network of the VM. */
export function useHostNetwork(spec: Spec): void {
  if (spec.linux?.namespaces === undefined) return;
  spec.linux.namespaces = spec.linux.namespaces
    .filter(({ type }) => type !== "network");
}

/** True when the annotations of a container ask for the network of the VM. */
export function wantsHostNetwork(
  annotations: Record<string, string> | undefined,
  log: Logger,
): boolean {
  const reader = new AnnotationReader(annotations ?? {}, log);
  return reader.bool(containerAnnotations.hostNetwork);
}
