/**
 * Runs `hcs-doc`: the specification of a sandbox becomes the document of its VM.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { formatJson, type Json, type JsonObject } from "../../base/json.ts";
import {
  joinWindowsPath,
  windowsBaseName,
  windowsDirName,
} from "../../base/windows_path.ts";
import type { HostDevice, RuntimeOptions } from "../../controllers/vm/mod.ts";
import { effectiveAnnotations } from "../../controllers/vm/document.ts";
import type { SandboxOptions } from "../../controllers/vm/options.ts";
import { planVm, putFiles } from "../../controllers/vm/plan.ts";
import { ComputeSystemDocument } from "../../hcs/documents.gen.ts";
import type { HostFiles } from "../../hcs/ports.ts";
import { errorOf } from "./errors.ts";
import { listOf, objectOf, objectsOf, plain, textOf, textsOf } from "./json.ts";

/** Processors that the peer's process saw. */
const visibleProcessors = 2;

/** The only bundle of the recordings that does not exist. */
const missingBundle = "C:\\bundle\\gone";

/** The host of a case: boot files, and a bundle that gets files. */
class CaseFiles implements Omit<HostFiles, "resolve" | "stat" | "read"> {
  /** Names of the files in the bundle. */
  readonly bundle = new Set<string>();
  readonly #input: JsonObject;
  readonly #folders: JsonObject;

  constructor(input: JsonObject) {
    this.#input = input;
    this.#folders = objectOf(input.bootFiles);
  }

  join(...parts: readonly string[]): string {
    return joinWindowsPath(...parts);
  }

  defaultBootDirectory(): Promise<string> {
    const { shimDirectory, programFiles } = this.#input;
    const beside = joinWindowsPath(textOf(shimDirectory), "LinuxBootFiles");
    return Promise.resolve(
      this.#folders[beside] === undefined
        ? joinWindowsPath(textOf(programFiles), "Linux Containers")
        : beside,
    );
  }

  bootFiles(directory: string): Promise<ReadonlySet<string>> {
    const names = this.#folders[directory];
    return names === undefined
      ? Promise.reject(new ShimError("NotFound", `"${directory}" is not there`))
      : Promise.resolve(new Set(listOf(names).map(textOf)));
  }

  async copy(from: string, to: string): Promise<void> {
    const names = await this.bootFiles(windowsDirName(from));
    const target = windowsDirName(to);
    const bundle = joinWindowsPath(textOf(this.#input.bundlePath));
    if (
      !names.has(windowsBaseName(from)) || target !== bundle ||
      target === missingBundle
    ) {
      throw new ShimError("NotFound", "The system cannot find the path");
    }
    this.bundle.add(windowsBaseName(to));
  }

  /** The recordings do not say whose the files are. */
  grantVmGroup(_path: string): Promise<void> {
    return Promise.resolve();
  }
}

/** Members as our options call them: `vm_processor_count` is `vmProcessorCount`. */
function optionsOf(value: Json | undefined): RuntimeOptions | undefined {
  if (value === null || value === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(objectOf(value)).map(([name, member]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      member,
    ]),
  );
}

function devicesOf(value: Json | undefined): HostDevice[] {
  return objectsOf(value).map(({ ID, IDType }) => ({
    id: textOf(ID),
    idType: textOf(IDType),
  }));
}

/** The ids of assigned devices, numbered in the order of the devices. */
function numberDevices(document: Json): Json {
  const machine = objectOf(objectOf(document).VirtualMachine);
  const { VirtualPci } = objectOf(machine.Devices);
  if (VirtualPci === undefined) return document;
  const numbered = Object.fromEntries(
    Object.values(objectOf(VirtualPci)).map((device, index) => [
      `<vmbus-guid-${index}>`,
      device,
    ]),
  );
  return {
    ...objectOf(document),
    VirtualMachine: {
      ...machine,
      Devices: { ...objectOf(machine.Devices), VirtualPci: numbered },
    },
  };
}

/** What the shim keeps, in the peer's words. */
function peerOptions(options: SandboxOptions): JsonObject {
  const { confidential } = options;
  return {
    NoWritableFileShares: options.noWritableFileShares,
    EnableScratchEncryption: options.enableScratchEncryption,
    PolicyBasedRouting: options.policyBasedRouting,
    Architecture: options.architecture,
    FullyPhysicallyBacked: options.fullyPhysicallyBacked,
    ConfidentialConfig: confidential === undefined ? null : {
      SecurityPolicy: confidential.securityPolicy,
      SecurityPolicyEnforcer: confidential.enforcer,
      UvmReferenceInfoFile: confidential.referenceInfoFile,
      UvmHashEnvelopeReferenceInfoFile: confidential.hashEnvelopeFile,
    },
  };
}

/**
 * Gives our output for a case.
 *
 * @param input The input of the case.
 */
export async function runHcsDocument(input: JsonObject): Promise<JsonObject> {
  const files = new CaseFiles(input);
  const options = optionsOf(input.options);
  const annotations = textsOf(input.annotations);
  const before = plain(annotations);
  const host = {
    compute: {
      serviceProperties: () =>
        Promise.resolve<Json>({
          Properties: [{ LogicalProcessorCount: Number(input.hostProcessors) }],
        }),
    },
    files,
    platform: {
      arch: "amd64",
      build: Number(input.windowsBuild),
      cpus: visibleProcessors,
    },
  };
  const result: JsonObject = {};
  let after = before;
  try {
    const { document, copies, sandboxOptions } = await planVm(
      host,
      {
        owner: textOf(input.owner),
        bundle: textOf(input.bundlePath),
        options,
        annotations,
        devices: devicesOf(input.devices),
      },
      textOf(input.currentDirectory),
    );
    await putFiles(files, copies);
    const text = ComputeSystemDocument.encode(document);
    result.document = numberDevices(plain(text));
    result.sandboxOptions = peerOptions(sandboxOptions);
    after = plain(effectiveAnnotations(options ?? {}, annotations));
  } catch (error) {
    result.error = errorOf(error);
    after = plain(annotations);
  }
  result.bundleFilesAfter = [...files.bundle].sort();
  if (formatJson(after) !== formatJson(before)) result.annotationsAfter = after;
  return result;
}
