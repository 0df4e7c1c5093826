/**
 * `Update`: the resources of a container, or of the VM when the task stands for
 * its pod.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { type Json, parseJson } from "../../base/json.ts";
import { SecurityPolicyFragment } from "../../bridge/messages.gen.ts";
import { vmAnnotations } from "../../oci/annotations.ts";
import { LinuxResources } from "../../oci/spec.gen.ts";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import type { UpdateTaskRequest } from "../../ttrpc/api/task.gen.ts";
import { messageName } from "../bootstrap.ts";
import type { Container, Vm } from "../runtime.ts";
import type { Task } from "../task.ts";

/** Message name of the resources that a container or a VM can be given. */
const linuxResources = "LinuxResources";

/** Message name of a part of the guest's policy (hcsshim). */
const policyFragment = "PolicyFragment";

const bytesPerMebibyte = 1024n * 1024n;

function unsupported(resources: Any): ShimError {
  return new ShimError(
    "InvalidArgument",
    `unsupported resource type "${resources.typeUrl}"`,
  );
}

function jsonOf(resources: Any): Json {
  return parseJson(new TextDecoder().decode(resources.value), "resources");
}

function decode<T>(resources: Any, read: (json: Json) => T): T {
  try {
    return read(jsonOf(resources));
  } catch (cause) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot read the resources of the update: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/**
 * Does what an update request says. Of several changes to a VM the first that
 * fails ends the update; those before it stay.
 *
 * @param task The task that it names, in a running VM.
 * @throws {ShimError} InvalidArgument for resources that are missing, unreadable or
 * of an unknown type; else what host or guest answered.
 */
export async function updateTask(
  task: Task,
  { resources, annotations }: UpdateTaskRequest,
): Promise<void> {
  const container = task.require("update");
  if (resources === undefined) {
    throw new ShimError("InvalidArgument", "No resources to update");
  }
  const place = task.place;
  if (place?.kind === "sandbox") {
    await updateVm(place.sandbox.vm, resources, annotations);
  } else await updateContainer(container, resources);
}

async function updateContainer(
  container: Container,
  resources: Any,
): Promise<void> {
  if (messageName(resources.typeUrl) !== linuxResources) {
    throw unsupported(resources);
  }
  await container.update(
    decode(resources, (json) => LinuxResources.decode(json)),
  );
}

async function updateVm(
  vm: Vm,
  resources: Any,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  switch (messageName(resources.typeUrl).split(".").at(-1)) {
    case policyFragment:
      return await vm.resources().addPolicyFragment(
        decode(resources, fragmentOf),
      );
    case linuxResources:
      return await updateLinux(
        vm,
        decode(resources, (json) => LinuxResources.decode(json)),
        annotations[vmAnnotations.cpuGroupId],
      );
    default:
      throw unsupported(resources);
  }
}

/** hcsshim writes the members in lower case. */
function fragmentOf(json: Json): SecurityPolicyFragment {
  const { fragment, mediaType } = json as Record<string, Json>;
  return SecurityPolicyFragment.decode({
    ...(fragment === undefined ? {} : { Fragment: fragment }),
    ...(mediaType === undefined ? {} : { MediaType: mediaType }),
  });
}

async function updateLinux(
  vm: Vm,
  { memory, cpu }: LinuxResources,
  cpuGroup: string | undefined,
): Promise<void> {
  const target = vm.resources();
  if (memory?.limit !== undefined) {
    if (memory.limit < bytesPerMebibyte) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot give a VM ${memory.limit} bytes of memory: it needs a limit of at least 1 MiB`,
      );
    }
    await target.updateMemory(memory.limit / bytesPerMebibyte);
  }
  if (cpu !== undefined) {
    // The numbers are passed as they are, a negative one as the service reads it.
    await target.updateProcessors({
      ...(cpu.quota === undefined
        ? {}
        : { Limit: BigInt.asUintN(64, cpu.quota) }),
      ...(cpu.shares === undefined ? {} : { Weight: cpu.shares }),
    });
  }
  if (cpuGroup !== undefined) await target.updateProcessorGroup(cpuGroup);
}
