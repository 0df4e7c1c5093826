/**
 * Inputs of VM documents, for tests: a Windows host and a sandbox that asks for
 * nothing special.
 *
 * @module
 */

import { joinWindowsPath } from "../../base/windows_path.ts";
import type { ComputeSystemDocument } from "../../hcs/documents.gen.ts";
import { type Annotations, vmAnnotations } from "../../oci/annotations.ts";
import { hcsDocument } from "../vm/document.ts";
import type {
  DocumentInput,
  HostDevice,
  HostFacts,
  RuntimeOptions,
} from "../vm/options.ts";

/** What a test says about a sandbox and its host. */
export interface Asked {
  /** By the names of `vmAnnotations`. */
  readonly annotations?: Partial<Record<keyof typeof vmAnnotations, string>>;
  /** By their full names. */
  readonly others?: Annotations;
  /** Runtime options beside the platform. */
  readonly options?: RuntimeOptions;
  /** Names of the files in `C:\boot`; undefined when it does not exist. */
  readonly files?: readonly string[] | undefined;
  /** Devices of the host. */
  readonly devices?: readonly HostDevice[];
  /** Facts that differ. */
  readonly host?: Partial<HostFacts>;
}

/** The input that says so. Ids of devices are `id-0`, `id-1` and so on. */
export function documentInput(asked: Asked = {}): DocumentInput {
  const { annotations = {}, others = {}, options = {}, devices = [] } = asked;
  const files = "files" in asked ? asked.files : ["kernel", "initrd.img"];
  const named = Object.entries(annotations).map(([key, text]) => [
    vmAnnotations[key as keyof typeof vmAnnotations],
    text,
  ]);
  let ids = 0;
  return {
    owner: "",
    bundle: "C:\\bundle",
    options: { sandboxPlatform: "linux/amd64", ...options },
    annotations: { ...Object.fromEntries(named), ...others },
    devices,
    boot: {
      path: "C:\\boot",
      files: files === undefined ? undefined : new Set(files),
    },
    host: {
      arch: "amd64",
      build: 26100,
      logicalProcessors: 8,
      cpus: 4,
      join: joinWindowsPath,
      ...asked.host,
    },
    newId: () => `id-${ids++}`,
  };
}

/** The machine of the document. */
export function machineOf(
  asked: Asked = {},
): ComputeSystemDocument["VirtualMachine"] {
  return hcsDocument(documentInput(asked)).document.VirtualMachine;
}

/** The kernel command line, of a VM that boots directly. */
export function commandLineOf(asked: Asked = {}): string {
  return machineOf(asked).Chipset.LinuxKernelDirect?.KernelCmdLine ?? "";
}
