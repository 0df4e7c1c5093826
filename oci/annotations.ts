/**
 * Names of the annotations that host and guest understand, and the parsers of
 * their values.
 *
 * A value that cannot be parsed never fails: the default is taken and a warning
 * says so, because annotations reach us through users' pod files.
 *
 * @module
 */

import { type Logger, silentLogger } from "../base/log.ts";

/** Annotations by name. */
export type Annotations = Readonly<Record<string, string>>;

const vm = "io.microsoft.virtualmachine";
const topology = `${vm}.computetopology`;

/** Annotations by which containerd's CRI plugin marks a container. */
export const cri = {
  /** `sandbox` or `container`. */
  containerType: "io.kubernetes.cri.container-type",
  /** Id of the pod. */
  sandboxId: "io.kubernetes.cri.sandbox-id",
} as const;

/** Annotations of the VM, read when its document is built. */
export const vmAnnotations = {
  bootFilesRootPath: `${vm}.bootfilesrootpath`,
  kernelDirectBoot: `${vm}.lcow.kerneldirectboot`,
  preferredRootfsType: `${vm}.lcow.preferredrootfstype`,
  kernelBootOptions: `${vm}.lcow.kernelbootoptions`,
  vpciEnabled: `${vm}.lcow.vpcienabled`,
  timeSyncDisable: `${vm}.lcow.timesync.disable`,
  writableOverlayDirectories: `${vm}.lcow.writable-overlay-directories`,
  extraExecCommandArgs: `${vm}.lcow.extra-exec-command-args`,
  dmVerityMode: `${vm}.lcow.dmverity-mode`,
  dmVerityCreateArgs: `${vm}.lcow.dmverity-create-args`,
  consolePipe: `${vm}.console.pipe`,
  processDumpLocation: "io.microsoft.container.processdumplocation",
  migrationSupport: "io.microsoft.migration.support-enabled",
  processorCount: `${topology}.processor.count`,
  processorLimit: `${topology}.processor.limit`,
  processorWeight: `${topology}.processor.weight`,
  cpuGroupId: `${vm}.cpugroup.id`,
  resourcePartitionId: `${vm}.resource-partition-id`,
  memorySizeInMb: `${topology}.memory.sizeinmb`,
  allowOvercommit: `${topology}.memory.allowovercommit`,
  enableDeferredCommit: `${topology}.memory.enabledeferredcommit`,
  enableColdDiscardHint: `${topology}.memory.enablecolddiscardhint`,
  lowMmioGapInMb: `${topology}.memory.lowmmiogapinmb`,
  highMmioBaseInMb: `${topology}.memory.highmmiobaseinmb`,
  highMmioGapInMb: `${topology}.memory.highmmiogapinmb`,
  fullyPhysicallyBacked: `${vm}.fullyphysicallybacked`,
  numaMaxProcessorsPerNode:
    `${topology}.processor.numa.max-processors-per-node`,
  numaMaxSizePerNode: `${topology}.processor.numa.max-size-per-node`,
  numaPreferredPhysicalNodes: `${topology}.numa.preferred-physical-nodes`,
  numaMappedPhysicalNodes: `${topology}.numa.mapped-physical-nodes`,
  numaCountOfProcessors: `${topology}.numa.count-of-processors`,
  numaCountOfMemoryBlocks: `${topology}.numa.count-of-memory-blocks`,
  storageBandwidthMaximum: `${vm}.storageqos.bandwidthmaximum`,
  storageIopsMaximum: `${vm}.storageqos.iopsmaximum`,
  vpmemMaximumCount: `${vm}.devices.virtualpmem.maximumcount`,
  securityPolicy: `${vm}.lcow.securitypolicy`,
  securityPolicyEnforcer: `${vm}.lcow.enforcer`,
  noSecurityHardware: `${vm}.no_security_hardware`,
  guestStateFile: `${vm}.lcow.gueststatefile`,
  dmVerityRootfsVhd: `${vm}.lcow.dmverity-rootfs-vhd`,
  hclEnabled: `${vm}.lcow.hcl-enabled`,
  extraVsockPorts: `${vm}.lcow.extra-vsock-ports`,
  uvmReferenceInfoFile: `${vm}.lcow.uvm-reference-info-file`,
  uvmHashEnvelopeReferenceInfoFile:
    `${vm}.uvm-hash-envelope-reference-info-file`,
  scratchEncrypted: `${vm}.storage.scratch.encrypted`,
  disableWritableFileShares: `${vm}.fileshares.disablewritable`,
  policyBasedRouting: `${vm}.lcow.network.policybasedrouting`,
  /** Followed by a GUID. */
  hvSocketServiceTable: `${vm}.hv-socket.service-table.`,
} as const;

/** Annotations of a container that the host or the guest acts on. */
export const containerAnnotations = {
  privileged: `${vm}.lcow.privileged`,
  hostNetwork: `${vm}.lcow.hostnetwork`,
  shmSizeKb: "io.microsoft.lcow.shm.size-kb",
  rlimitCore: "io.microsoft.lcow.rlimitcore",
  teeLogPath: "io.microsoft.container.lcow.tee-log-path",
  teeLogDirMount: "io.microsoft.container.lcow.tee-log-dir-mount",
  skipPodNetworking: "io.microsoft.cri.skip-pod-networking",
  virtualPodId: "io.microsoft.cri.virtual-pod-id",
  securityPolicyEnv: `${vm}.lcow.securitypolicy.env`,
  gpuCapabilities: "io.microsoft.container.gpu.capabilities",
  amdCertificate: `${vm}.wcow.amd-certificate`,
  ncProxy: "io.microsoft.network.ncproxy",
} as const;

/** Annotations with a value that are refused, in the order of their tests. */
export const rejectedAnnotations: readonly string[] = [
  containerAnnotations.ncProxy,
  `${vm}.lcow.vpmem.nomultimapping`,
  `${vm}.kerneldrivers`,
];

const truths = ["1", "t", "T", "TRUE", "true", "True"];
const lies = ["0", "f", "F", "FALSE", "false", "False"];

/** Reads a boolean as Go's `strconv.ParseBool` does; undefined when it is none. */
export function parseBool(text: string): boolean | undefined {
  if (truths.includes(text)) return true;
  return lies.includes(text) ? false : undefined;
}

/** Reads a decimal integer in a range; undefined when it is none. */
function parseInteger(
  text: string,
  form: RegExp,
  lowest: bigint,
  highest: bigint,
): bigint | undefined {
  if (!form.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return value >= lowest && value <= highest ? value : undefined;
}

/**
 * What is wrong with the value of an annotation, for an error. The value stands
 * last, in the form by which scrubbed logs find it and leave it out.
 *
 * @example A bad size
 * ```ts
 * import { scrubText } from "../base/log.ts";
 * import { wrongAnnotation } from "./annotations.ts";
 * const text = wrongAnnotation("a.size", "big", "a number");
 * console.assert(text === 'annotation a.size: expected a number, got "big"');
 * console.assert(!scrubText(text).includes("big"));
 * ```
 */
export function wrongAnnotation(
  name: string,
  value: string,
  expected: string,
): string {
  return `annotation ${name}: expected ${expected}, got "${value}"`;
}

const signed = /^[+-]?\d+$/;
const unsigned = /^\d+$/;

/** Reads values of annotations; what cannot be parsed becomes the default. */
export class AnnotationReader {
  readonly #annotations: Annotations;
  readonly #log: Logger;

  /**
   * Makes a reader; nothing is parsed yet.
   *
   * @param annotations The annotations to read.
   * @param log Where warnings about bad values go.
   */
  constructor(annotations: Annotations, log: Logger = silentLogger) {
    this.#annotations = annotations;
    this.#log = log;
  }

  #ignored(
    annotation: string,
    annotationValue: string,
    expected: string,
  ): void {
    const fields = { annotation, annotationValue, expected };
    this.#log.warn("Annotation ignored", fields);
  }

  #read<T>(
    name: string,
    fallback: T,
    expected: string,
    parse: (text: string) => T | undefined,
  ): T {
    const text = this.#annotations[name];
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    this.#ignored(name, text, expected);
    return fallback;
  }

  /** The text of an annotation; undefined when it is absent. */
  text(name: string): string | undefined {
    return this.#annotations[name];
  }

  /** A boolean. */
  bool(name: string, fallback = false): boolean {
    return this.#read(name, fallback, "true or false", parseBool);
  }

  /** A boolean for which absence is a third value. */
  optionalBool(name: string): boolean | undefined {
    return this.#read<boolean | undefined>(
      name,
      undefined,
      "true or false",
      parseBool,
    );
  }

  /** A signed 32-bit integer. */
  int32(name: string, fallback = 0): number {
    return this.#read(name, fallback, "a 32-bit integer", (text) => {
      const value = parseInteger(text, signed, -(2n ** 31n), 2n ** 31n - 1n);
      return value === undefined ? undefined : Number(value);
    });
  }

  /** An unsigned 32-bit integer. */
  uint32(name: string, fallback = 0): number {
    return this.#read(name, fallback, "an unsigned 32-bit integer", (text) => {
      const value = parseInteger(text, unsigned, 0n, 2n ** 32n - 1n);
      return value === undefined ? undefined : Number(value);
    });
  }

  /** An unsigned 64-bit integer. */
  uint64(name: string, fallback = 0n): bigint {
    return this.#read(
      name,
      fallback,
      "an unsigned 64-bit integer",
      (text) => parseInteger(text, unsigned, 0n, 2n ** 64n - 1n),
    );
  }

  /** A list of unsigned 32-bit integers; one bad member makes it empty. */
  uint32List(name: string): readonly number[] {
    return this.#list(name, 2n ** 32n - 1n).map(Number);
  }

  /** A list of unsigned 64-bit integers; one bad member makes it empty. */
  uint64List(name: string): readonly bigint[] {
    return this.#list(name, 2n ** 64n - 1n);
  }

  #list(name: string, highest: bigint): readonly bigint[] {
    const text = this.#annotations[name];
    if (!text) return [];
    const values: bigint[] = [];
    for (const part of text.split(",")) {
      const value = parseInteger(part, unsigned, 0n, highest);
      if (value === undefined) {
        this.#ignored(name, text, "unsigned integers between commas");
        return [];
      }
      values.push(value);
    }
    return values;
  }

  /** The annotations whose names start with a prefix, by the rest of the name. */
  withPrefix(prefix: string): readonly (readonly [string, string])[] {
    return Object.entries(this.#annotations)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, text]) => [name.slice(prefix.length), text] as const);
  }
}
