import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { joinWindowsPath } from "../../base/windows_path.ts";
import type { Guest, GuestContainer } from "../../bridge/guest.ts";
import { ContainerDocument } from "../../bridge/messages.gen.ts";
import type { Disk, LayerSet } from "../../hcs/ports.ts";
import { Spec } from "../../oci/spec.gen.ts";
import { ScsiController } from "../device/scsi/mod.ts";
import { PodController } from "../pod/controller.ts";
import { FakeClient, noStdio } from "../testing/fake_stdio.ts";
import { type GoldenCase, goldenCases } from "../testing/golden.ts";
import type { ContainerOptions } from "./annotations.ts";

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function disk(path: string, partition = 0): Disk {
  return { path, type: "VirtualDisk", partition };
}

/** The layers of a case, as the Windows platform reads them; undefined when it refuses them. */
function layersOf(input: JsonObject): LayerSet | undefined {
  const rootfs = list(input.rootfs).map(object);
  const folders = list(object(object(input.spec).windows).layerFolders)
    .map(String);
  if ((rootfs.length === 0) === (folders.length === 0)) return undefined;
  const inFolders = (
    parents: readonly string[],
    scratch: string,
  ): LayerSet => ({
    readOnly: parents.map((dir) => disk(joinWindowsPath(dir, "layer.vhd"))),
    scratch: disk(joinWindowsPath(scratch, "sandbox.vhdx")),
  });
  if (folders.length > 0) {
    return inFolders(folders.slice(0, -1), folders.at(-1) ?? "");
  }
  const [mount = {}] = rootfs;
  if (mount.target) return undefined;
  const option = (name: string): string | undefined =>
    list(mount.options).map(String)
      .find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  try {
    if (mount.type === "lcow-layer") {
      const parents = parseJson(option("parentLayerPaths") ?? "[]");
      return inFolders(list(parents).map(String), String(mount.source));
    }
    if (mount.type !== "lcow-partitioned-layer") return undefined;
    const parents = parseJson(option("parent-partitioned-layers") ?? "[]");
    return {
      readOnly: list(parents).map(object).map((layer) =>
        disk(
          String(layer.Path ?? layer.path),
          Number(layer.Partition ?? layer.partition ?? 0),
        )
      ),
      scratch: disk(option("scratch") ?? ""),
    };
  } catch {
    return undefined;
  }
}

function optionsOf(value: Json | undefined): ContainerOptions {
  const options = object(value);
  return {
    bootFilesRootPath: String(options.boot_files_root_path ?? ""),
    vmProcessorCount: Number(options.vm_processor_count ?? 0),
    vmMemorySizeInMb: Number(options.vm_memory_size_in_mb ?? 0),
    NCProxyAddr: String(options.NCProxyAddr ?? ""),
    defaultContainerAnnotations: Object.fromEntries(
      Object.entries(object(options.default_container_annotations))
        .map(([name, text]) => [name, String(text)]),
    ),
  };
}

/** The collaborators of a case: they record, and fail the n-th call of a name. */
class Recorder {
  calls: JsonObject[] = [];
  document: Json | undefined;
  readonly #failures: JsonObject;
  readonly #links: JsonObject;
  readonly #counts = new Map<string, number>();

  constructor(input: JsonObject) {
    this.#failures = object(input.wireFailures);
    this.#links = object(input.links);
  }

  async #call(name: string, members: JsonObject): Promise<void> {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const failure = this.#failures[`${name}#${count}`];
    const text = typeof failure === "string" ? failure : undefined;
    this.calls.push({
      call: name,
      ...members,
      ...(text === undefined ? {} : { fails: text }),
    });
    await Promise.resolve();
    if (text === undefined) return;
    throw new HResultError(
      text === "bridge closed" ? HResult.ConnectionClosed : HResult.Fail,
      text,
    );
  }

  modify(side: "vm" | "guest", request: unknown): Promise<void> {
    const plain = parseJson(formatJson(request));
    return this.#call(`${side}.modify`, { request: plain });
  }

  async create(
    id: string,
    document: ContainerDocument,
  ): Promise<GuestContainer> {
    this.document = parseJson(ContainerDocument.format(document));
    await this.#call("guest.CreateContainer", { containerId: id });
    return {
      id,
      start: () => Promise.resolve(),
      terminated: Promise.withResolvers<void>().promise,
      close: () => {},
    };
  }

  forget(id: string): Promise<void> {
    return this.#call("guest.DeleteContainerState", { containerId: id });
  }

  grant(vmId: string, path: string): Promise<void> {
    return this.#call("host.GrantVMAccess", { vmId, path });
  }

  resolve(path: string): Promise<string> {
    const link = this.#links[path];
    if (link === null) {
      return Promise.reject(new ShimError("NotFound", `open ${path}: broken`));
    }
    return Promise.resolve(typeof link === "string" ? link : path);
  }
}

/** Plays the create of a case, and its delete up to three times. */
async function play(input: JsonObject, layers: LayerSet): Promise<JsonObject> {
  const recorder = new Recorder(input);
  const canForget = object(input.guestCapabilities)
    .deleteContainerStateSupported === true;
  const guest = {
    modify: (request: unknown) => recorder.modify("guest", request),
    createContainer: (id: string, document: ContainerDocument) =>
      recorder.create(id, document),
    deleteContainerState: (id: string) =>
      canForget ? recorder.forget(id) : Promise.resolve(),
  } as Partial<Guest> as Guest;
  const scsi = new ScsiController({
    vm: { modify: (request) => recorder.modify("vm", request) },
    guest,
  });
  if (isJsonObject(input.bootDisk)) {
    const { controller, lun, path } = input.bootDisk;
    scsi.reserveRootfs(Number(controller), Number(lun), {
      hostPath: String(path),
      readOnly: true,
      type: "VirtualDisk",
    });
  }
  const pod = new PodController({
    guest,
    scsi,
    compute: { grantAccess: (id, path) => recorder.grant(id, path) },
    files: { resolve: (path) => recorder.resolve(path) },
    openStdio: new FakeClient().open,
    log: silentLogger,
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
    runtimeId: String(input.vmId),
    scratchEncryption: input.scratchEncryption === true,
  }, String(input.podId));
  const container = pod.newContainer(String(input.containerId));
  const result: JsonObject = {};
  try {
    await container.create({
      bundle: "C:\\bundle",
      spec: Spec.decode(input.spec ?? {}),
      layers,
      stdio: noStdio,
      options: optionsOf(input.options),
    });
  } catch (error) {
    result.error = messageOf(error);
  }
  result.calls = recorder.calls;
  if (recorder.document !== undefined) result.document = recorder.document;
  const deletes: Json[] = [];
  for (let attempt = 0; attempt < 3 && result.error === undefined; attempt++) {
    recorder.calls = [];
    try {
      const { exitCode } = await container.deleteProcess("");
      deletes.push({ calls: recorder.calls, exitStatus: exitCode });
      break;
    } catch {
      deletes.push({ calls: recorder.calls });
    }
  }
  result.delete = deletes;
  return result;
}

/** What needs features that come later, by rule. */
function isLater(input: JsonObject): boolean {
  const { mounts, windows, linux } = object(input.spec);
  const sharesHost = list(mounts).map(object).some(({ type, source }) =>
    type === "bind" && source !== undefined &&
    !/^(sandbox|sandbox-tmp|uvm|hugepages):\/\//.test(String(source))
  );
  const namespaces = list(object(linux).namespaces).map(object);
  return sharesHost || input.second !== undefined ||
    list(object(windows).devices).length > 0 ||
    Boolean(object(object(windows).network).networkNamespace) ||
    namespaces.some(({ type, path }) => type === "network" && Boolean(path));
}

/** Ours, where we differ on purpose: the guest forgets only what it heard of. */
function withoutForget(calls: readonly Json[]): Json[] {
  return calls.filter((call) =>
    object(call).call !== "guest.DeleteContainerState"
  );
}

/** An empty text is as good as none: the peer leaves it out, we keep what came. */
function withoutEmpty(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== "")
      .map(([name, member]) => [name, withoutEmpty(member)]),
  );
}

async function judge({ input, output }: GoldenCase): Promise<boolean> {
  const layers = layersOf(input);
  if (layers === undefined) return false;
  const ours = object(withoutEmpty(await play(input, layers)));
  const wire = object(withoutEmpty(output.wire ?? {}));
  const error = wire.error ?? output.error;
  assertEquals(ours.error === undefined, error === undefined);
  if (error === undefined) {
    assertEquals(ours.document, wire.document);
    assertEquals(ours.calls, wire.calls);
    const attempts = list(wire.delete).map(object);
    assertEquals(
      list(ours.delete).map((attempt) => object(attempt).calls),
      attempts.map((attempt) => attempt.calls),
    );
    assertEquals(
      object(list(ours.delete).at(-1)).exitStatus,
      attempts.at(-1)?.exitStatus,
    );
  } else if (wire.calls !== undefined) {
    assertEquals(
      withoutForget(list(ours.calls)),
      withoutForget(list(wire.calls)),
    );
  }
  return true;
}

Deno.test("containers give the recorded documents, requests and releases", async () => {
  const cases = await goldenCases("container-doc");
  if (cases === undefined) return;
  const ordinary = cases.filter(({ input }) =>
    !isLater(input) && input.failures === undefined
  );
  const wrong: string[] = [];
  let agreed = 0;
  let elsewhere = 0;
  for (const entry of ordinary) {
    try {
      if (await judge(entry)) agreed++;
      else elsewhere++;
    } catch (error) {
      wrong.push(`${entry.name}: ${messageOf(error)}`);
    }
  }
  console.log(
    `container-doc: ${agreed} of ${
      ordinary.length - elsewhere
    } ordinary cases agree; ${
      cases.length - ordinary.length
    } use features that come later (shares, devices, networks) or the peer's own division; ${elsewhere} fail in the layer parser of the platform`,
  );
  assertEquals(wrong, []);
  assert(agreed > 0);
});
