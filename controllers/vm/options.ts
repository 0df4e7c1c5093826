/**
 * What decides about the document of a VM, and what the shim remembers of it.
 *
 * @module
 */

import type { Annotations } from "../../oci/annotations.ts";

/** A runtime option of `containerd.runhcs.v1.Options` that this shim uses. */
export interface RuntimeOptions {
  /** `linux/amd64` or `linux/arm64`, in any case. */
  readonly sandboxPlatform?: string | undefined;
  /** Directory of kernel and root file system; empty means the default one. */
  readonly bootFilesRootPath?: string | undefined;
  /** Virtual processors; 0 or less means the default. */
  readonly vmProcessorCount?: number | undefined;
  /** Memory in MiB; 0 means the default. */
  readonly vmMemorySizeInMb?: number | undefined;
  /** Level of the guest's log; empty means `info`. */
  readonly logLevel?: string | undefined;
  /** Whether the guest scrubs its log; absent leaves it to the guest. */
  readonly scrubLogs?: boolean | undefined;
  /** Annotations for sandboxes and containers that do not have them. */
  readonly defaultContainerAnnotations?: Annotations | undefined;
}

/** A device of the host, as `windows.devices` of a specification names it. */
export interface HostDevice {
  /** Instance path, with the index of the virtual function behind it. */
  readonly id: string;
  /** How to read the id. */
  readonly idType: string;
}

/** What a guest is told to enforce. */
export interface ConfidentialConfig {
  /** Base64 of the policy. */
  readonly securityPolicy: string;
  /** Which enforcer reads it, for example `rego`. */
  readonly enforcer: string;
  /** Name of the signed description of the VM, in the boot directory; may be empty. */
  readonly referenceInfoFile: string;
  /** Name of its form with hashes, in the boot directory; may be empty. */
  readonly hashEnvelopeFile: string;
}

/** What the shim keeps of the options of a VM. */
export interface SandboxOptions {
  /** Whether host directories may be shared only read-only. */
  readonly noWritableFileShares: boolean;
  /** Whether scratch disks are encrypted by the guest. */
  readonly enableScratchEncryption: boolean;
  /** Whether endpoints route by source address. */
  readonly policyBasedRouting: boolean;
  /** Architecture of the VM in OCI's words. */
  readonly architecture: string;
  /** Whether the VM's memory is assigned at its start. */
  readonly fullyPhysicallyBacked: boolean;
  /** What the guest enforces; absent when nothing. */
  readonly confidential?: ConfidentialConfig;
}

/** A file that is put into the bundle before the VM is created. */
export interface FileCopy {
  /** Absolute path in the host's flavour. */
  readonly from: string;
  /** Absolute path in the host's flavour. */
  readonly to: string;
}

/** Everything that {@linkcode hcsDocument} decides by. */
export interface DocumentInput {
  /** Who owns the VM; empty means the shim. */
  readonly owner: string;
  /** Directory of the sandbox; an isolated VM runs from copies in it. */
  readonly bundle: string;
  /** The runtime options. */
  readonly options: RuntimeOptions;
  /** The annotations of the sandbox, as its specification has them. */
  readonly annotations: Annotations;
  /** Devices that the sandbox wants from the start. */
  readonly devices: readonly HostDevice[];
  /** The directory with the boot files. */
  readonly boot: BootDirectory;
  /** The host. */
  readonly host: HostFacts;
  /** Makes the ids of assigned devices; random when absent. */
  readonly newId?: () => string;
}

/** A directory of boot files, as it was found. */
export interface BootDirectory {
  /** Absolute path in the host's flavour. */
  readonly path: string;
  /** Names of its files; undefined when the directory does not exist. */
  readonly files: ReadonlySet<string> | undefined;
}

/** Facts about the host that a document depends on. */
export interface HostFacts {
  /** Windows build number. */
  readonly build: number;
  /** Architecture of the host in OCI's words. */
  readonly arch: string;
  /** Logical processors of the host. */
  readonly logicalProcessors: number;
  /** Processors that the shim itself may use. */
  readonly cpus: number;
  /** Joins paths in the host's flavour. */
  readonly join: (...parts: readonly string[]) => string;
}
