/**
 * GPUs of a workload: a hook of the runtime has NVIDIA's tool put its driver and
 * its nodes into the container (`spec/guest-runtime.md` 7.5).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import {
  containerAnnotations,
  wrongAnnotation,
} from "../../oci/annotations.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { findProgram } from "../runtime/detect.ts";
import type { PciDevices } from "../storage/pci.ts";
import { devicesOf, resourcesOf } from "./mounts.ts";

/** What the hook is made of. */
export interface GpuHookOptions {
  /** Finds the GPUs on the bus. */
  readonly pci: Pick<PciDevices, "location">;
  /** Folder of the container, where the tool writes its log. */
  readonly bundle: string;
  /** Environment of the agent; PATH is searched for the hook. */
  readonly env: Readonly<Record<string, string>>;
}

/** As in the other searches of the agent. */
const defaultPath = "/sbin:/usr/sbin:/bin:/usr/bin";

/** Program of the hook (`guest/generic_hook.ts`). */
const hookProgram = "generichook";

/** What NVIDIA's tool names its abilities: `compute`, `utility`, `compat32`. */
const capabilityForm = /^[a-z][a-z0-9-]*$/;

/**
 * The abilities that the annotation lists.
 *
 * @throws {ShimError} InvalidArgument for what would be another flag of the
 * tool. (REF passes it on.)
 */
function capabilitiesOf(spec: Spec): string[] {
  const name = containerAnnotations.gpuCapabilities;
  const text = spec.annotations?.[name] ?? "";
  const words = text.split(",").map((word) => word.trim())
    .filter((word) => word !== "");
  if (words.every((word) => capabilityForm.test(word))) return words;
  throw new ShimError(
    "InvalidArgument",
    `Invalid ${wrongAnnotation(name, text, 'names such as "compute,utility"')}`,
  );
}

/**
 * Adds the hook when the specification has a GPU, and lets the container use
 * every character device, because the tool makes the nodes.
 *
 * @throws {ShimError} FailedPrecondition when the VM has no program for hooks,
 * InvalidArgument for an id that is no GUID, DeadlineExceeded when a GPU does not
 * come.
 */
export async function addGpuHook(
  spec: Spec,
  { pci, bundle, env }: GpuHookOptions,
): Promise<void> {
  const gpus = (spec.windows?.devices ?? [])
    .filter(({ idType }) => idType === "gpu");
  if (gpus.length === 0) return;
  const path = await findProgram(hookProgram, env.PATH ?? defaultPath);
  if (path === undefined) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot give the container a GPU: the VM has no ${hookProgram}`,
    );
  }
  const log = `${bundle}/nvidia-container.log`;
  const args = [path, "nvidia-container-cli", `--debug=${log}`];
  args.push("--no-pivot", "configure", "--ldconfig=@/sbin/ldconfig");
  args.push(...capabilitiesOf(spec).map((word) => `--${word}`));
  for (const { id } of gpus) args.push(`--device=${await pci.location(id)}`);
  args.push("--pid={{pid}}", spec.root?.path ?? "");
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  spec.hooks ??= {};
  spec.hooks.createRuntime ??= [];
  spec.hooks.createRuntime.push({
    path,
    args,
    env: [...own, "NVC_INSECURE_MODE=1", `GENERIC_HOOK_LOG_DEBUG_FILE=${log}`],
  });
  devicesOf(resourcesOf(spec)).push({ allow: true, type: "c", access: "rwm" });
}
