/**
 * Runs `container-doc`: the specification of a container becomes the document for
 * the guest and the calls on the way, and the delete takes everything back.
 *
 * @module
 */

import { FakeClock } from "../../base/clock.ts";
import { formatJson, type Json, type JsonObject } from "../../base/json.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { ContainerOptions } from "../../controllers/linux_container/annotations.ts";
import { PodController } from "../../controllers/pod/controller.ts";
import { FakeClient, noStdio } from "../../controllers/testing/fake_stdio.ts";
import { windowsLayerPlan } from "../../ffi/windows/storage/layers.ts";
import type { LayerSet } from "../../hcs/ports.ts";
import { Spec } from "../../oci/spec.gen.ts";
import { CallLog } from "./call_log.ts";
import { realDevices, standIns, type VmDevices } from "./container_devices.ts";
import { CaseGuest, caseHost } from "./container_host.ts";
import { errorOf } from "./errors.ts";
import {
  listOf,
  objectOf,
  objectsOf,
  textOf,
  textsOf,
  without,
} from "./json.ts";
import { numberIds } from "./random_ids.ts";
import type { RecordedCase } from "./recordings.ts";

/** Deletes that a recording tries at most. */
const deleteAttempts = 3;

/** The disks, as the Windows platform reads them; nothing is looked up. */
function layersOf(input: JsonObject): LayerSet {
  const { windows } = objectOf(input.spec);
  const { readOnly, scratch } = windowsLayerPlan({
    rootfs: objectsOf(input.rootfs).map((mount) => ({
      type: textOf(mount.type),
      source: textOf(mount.source),
      target: textOf(mount.target),
      options: listOf(mount.options).map(textOf),
    })),
    layerFolders: listOf(objectOf(windows).layerFolders).map(textOf),
    rootPath: "",
    bundle: "C:\\bundle",
  });
  return {
    readOnly,
    scratch: { path: scratch, type: "VirtualDisk", partition: 0 },
  };
}

function optionsOf(value: Json | undefined): ContainerOptions {
  const options = objectOf(value);
  return {
    bootFilesRootPath: textOf(options.boot_files_root_path),
    vmProcessorCount: Number(options.vm_processor_count ?? 0),
    vmMemorySizeInMb: Number(options.vm_memory_size_in_mb ?? 0),
    NCProxyAddr: textOf(options.NCProxyAddr),
    defaultContainerAnnotations: textsOf(options.default_container_annotations),
  };
}

/** A VM in which containers of a case are created, one after another. */
class CaseVm {
  readonly #input: JsonObject;
  readonly #log: CallLog;
  readonly #devices: VmDevices;
  readonly #guest: CaseGuest;
  readonly #pods = new Map<string, PodController>();

  constructor(
    input: JsonObject,
    log: CallLog,
    devices: VmDevices,
    isDivided: boolean,
  ) {
    this.#input = input;
    this.#log = log;
    this.#devices = devices;
    this.#guest = new CaseGuest(input.guestCapabilities, log, isDivided);
  }

  #pod(id: string): PodController {
    const known = this.#pods.get(id);
    if (known !== undefined) return known;
    const { compute, files } = caseHost(this.#input, this.#log);
    const { scsi, plan9, vpci } = this.#devices;
    const pod = new PodController({
      compute,
      files,
      scsi,
      vpci,
      shares: { plan9, files },
      guest: this.#guest.port,
      streams: new FakeClient(),
      log: silentLogger,
      clock: new FakeClock(),
      timeouts: defaultTimeouts,
      runtimeId: textOf(this.#input.vmId),
      scratchEncryption: this.#input.scratchEncryption === true,
    }, id);
    this.#pods.set(id, pod);
    return pod;
  }

  /** Creates a container. @returns What was recorded, and how to delete it. */
  async create(input: JsonObject): Promise<Played> {
    const container = this.#pod(textOf(input.podId))
      .newContainer(textOf(input.containerId));
    const result: JsonObject = {};
    this.#guest.document = undefined;
    let error: unknown;
    try {
      await container.create({
        bundle: "C:\\bundle",
        spec: Spec.decode(input.spec ?? {}),
        layers: layersOf(input),
        stdio: noStdio,
        options: optionsOf(input.options),
      });
    } catch (thrown) {
      error = thrown;
    }
    result.calls = this.#log.take();
    if (error !== undefined) result.error = errorOf(error);
    if (this.#guest.document !== undefined) {
      result.document = this.#guest.document;
    }
    result.state = container.state;
    return { result, remove: () => this.#remove(container) };
  }

  async #remove(
    container: { deleteProcess(id: string): Promise<{ exitCode: number }> },
  ): Promise<JsonObject[]> {
    const attempts: JsonObject[] = [];
    while (attempts.length < deleteAttempts) {
      try {
        const { exitCode } = await container.deleteProcess("");
        attempts.push({ calls: this.#log.take(), exitStatus: exitCode });
        return attempts;
      } catch (error) {
        attempts.push({ calls: this.#log.take(), error: errorOf(error) });
      }
    }
    return attempts;
  }
}

/** A container that was created, or not. */
interface Played {
  readonly result: JsonObject;
  readonly remove: () => Promise<JsonObject[]>;
}

async function removeCreated({ result, remove }: Played): Promise<void> {
  if (result.error === undefined) result.delete = await remove();
}

/** Creates the containers of a case, and deletes those that were created. */
async function play(input: JsonObject, vm: CaseVm): Promise<JsonObject> {
  const first = await vm.create(input);
  if (input.second === undefined) {
    await removeCreated(first);
    return first.result;
  }
  const shared = without(input, "spec", "rootfs", "options", "second");
  const second = await vm.create({ ...shared, ...objectOf(input.second) });
  await removeCreated(first);
  await removeCreated(second);
  return { ...first.result, second: second.result };
}

/**
 * Gives our output for a case: with stand-ins for the devices where the recording
 * has a `controller` part, with the real ones where it has a `wire` part.
 */
export async function runContainerDocument(
  { input, output }: RecordedCase,
): Promise<JsonObject> {
  const result: JsonObject = {};
  if (output.controller !== undefined) {
    const log = new CallLog(objectOf(input.failures));
    const vm = new CaseVm(input, log, standIns(log), true);
    const { error, document, ...controller } = await play(input, vm);
    result.controller = error === undefined
      ? controller
      : { ...controller, error };
    if (error !== undefined) result.error = error;
    if (document !== undefined) result.document = document;
  }
  if (output.wire !== undefined) {
    const log = new CallLog(objectOf(input.wireFailures));
    const vm = new CaseVm(input, log, realDevices(input, log), false);
    const played = numberIds(await play(input, vm), formatJson(input));
    const { document, ...wire } = objectOf(played);
    result.wire = wire;
    if (document !== undefined) {
      if (output.controller === undefined) result.document = document;
      else result.wire = { ...wire, document };
    }
    if (output.controller === undefined && wire.error !== undefined) {
      result.error = wire.error;
    }
  }
  return result;
}
