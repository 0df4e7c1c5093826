import { assert, assertEquals } from "@std/assert";
import { messageOf } from "../../base/errors.ts";
import {
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";
import { joinWindowsPath } from "../../base/windows_path.ts";
import { ComputeSystemDocument } from "../../hcs/documents.gen.ts";
import { AnnotationReader, vmAnnotations } from "../../oci/annotations.ts";
import { withDefaults } from "../../oci/expand.ts";
import {
  type GoldenCase,
  goldenCases,
  quotedValues,
} from "../testing/golden.ts";
import { bootDirectoryPath } from "./boot_directory.ts";
import {
  effectiveAnnotations,
  hcsDocument,
  namedBootDirectory,
} from "./document.ts";
import type { DocumentInput, RuntimeOptions } from "./options.ts";

function texts(value: Json | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(isJsonObject(value) ? value : {})
      .map(([name, text]) => [name, String(text)]),
  );
}

function optionsOf(value: Json | undefined): RuntimeOptions {
  const options = isJsonObject(value) ? value : {};
  const text = (name: string): string => String(options[name] ?? "");
  const scrub = options.scrub_logs;
  return {
    sandboxPlatform: text("sandbox_platform"),
    bootFilesRootPath: text("boot_files_root_path"),
    vmProcessorCount: Number(options.vm_processor_count ?? 0),
    vmMemorySizeInMb: Number(options.vm_memory_size_in_mb ?? 0),
    logLevel: text("log_level"),
    scrubLogs: typeof scrub === "boolean" ? scrub : undefined,
    defaultContainerAnnotations: texts(options.default_container_annotations),
  };
}

/** The default directory, as the recorded peer finds it. */
function defaultDirectory(input: JsonObject): string {
  const beside = joinWindowsPath(String(input.shimDirectory), "LinuxBootFiles");
  const known = isJsonObject(input.bootFiles) ? input.bootFiles : {};
  return known[beside] === undefined
    ? joinWindowsPath(String(input.programFiles), "Linux Containers")
    : beside;
}

function documentInput(input: JsonObject): DocumentInput {
  const options = optionsOf(input.options);
  const annotations = texts(input.annotations);
  const named = namedBootDirectory(
    options,
    withDefaults(annotations, options.defaultContainerAnnotations ?? {}),
  );
  const path = named === ""
    ? defaultDirectory(input)
    : bootDirectoryPath(joinWindowsPath, String(input.currentDirectory), named);
  const known = isJsonObject(input.bootFiles) ? input.bootFiles : {};
  const files = known[path];
  const devices = Array.isArray(input.devices) ? input.devices : [];
  return {
    owner: String(input.owner),
    options,
    annotations,
    devices: devices.filter(isJsonObject).map((device) => ({
      id: String(device.ID),
      idType: String(device.IDType),
    })),
    boot: {
      path,
      files: Array.isArray(files) ? new Set(files.map(String)) : undefined,
    },
    host: {
      arch: "amd64",
      build: Number(input.windowsBuild),
      logicalProcessors: Number(input.hostProcessors),
      cpus: 2, // of the recorded peer's process
      join: joinWindowsPath,
    },
  };
}

/** What needs features that come later, by rule: they are refused clearly. */
function isLater({ annotations, options, devices }: DocumentInput): boolean {
  const all = new AnnotationReader(
    withDefaults(annotations, options.defaultContainerAnnotations ?? {}),
  );
  return Boolean(all.text(vmAnnotations.securityPolicy)) ||
    all.uint32(vmAnnotations.numaMaxProcessorsPerNode) > 0 ||
    all.uint32List(vmAnnotations.numaMappedPhysicalNodes).length > 0 ||
    devices.some(({ idType }) =>
      ["gpu", "vpci", "vpci-instance-id"].includes(idType)
    );
}

function judge({ output, isDefect }: GoldenCase, input: DocumentInput): void {
  const expected = output.error;
  if (typeof expected !== "string") {
    const { document, sandboxOptions } = hcsDocument(input);
    assertEquals<Json>(
      parseJson(ComputeSystemDocument.format(document)),
      output.document ?? null,
    );
    const peer = isJsonObject(output.sandboxOptions)
      ? output.sandboxOptions
      : {};
    assertEquals<JsonObject>({
      NoWritableFileShares: sandboxOptions.noWritableFileShares,
      EnableScratchEncryption: sandboxOptions.enableScratchEncryption,
      PolicyBasedRouting: sandboxOptions.policyBasedRouting,
      Architecture: sandboxOptions.architecture,
      FullyPhysicallyBacked: sandboxOptions.fullyPhysicallyBacked,
      ConfidentialConfig: null,
    }, peer);
    const after = output.annotationsAfter;
    if (after !== undefined) {
      assertEquals<Json>(
        effectiveAnnotations(input.options, input.annotations),
        after,
      );
    }
    return;
  }
  if (isDefect) return;
  let message: string | undefined;
  try {
    hcsDocument(input);
  } catch (error) {
    message = messageOf(error);
  }
  assert(message !== undefined, `no error; the peer says: ${expected}`);
  for (const value of quotedValues(expected)) {
    assert(message.includes(value), `${message}\nlacks "${value}"`);
  }
}

Deno.test("hcsDocument() agrees with the recorded documents and errors of ordinary VMs", async () => {
  const cases = await goldenCases("hcs-doc");
  if (cases === undefined) return;
  const wrong: string[] = [];
  let agreed = 0;
  let later = 0;
  for (const entry of cases) {
    const input = documentInput(entry.input);
    if (entry.input.options !== null && isLater(input)) {
      later++;
      continue;
    }
    try {
      judge(entry, input);
      agreed++;
    } catch (error) {
      wrong.push(`${entry.name}: ${messageOf(error)}`);
    }
  }
  console.log(
    `hcs-doc: ${agreed} of ${
      cases.length - later
    } ordinary cases agree; ${later} use features that come later (security policy, NUMA, assigned devices)`,
  );
  assertEquals(wrong, []);
});
