/**
 * Confidential VMs: what the guest is to enforce, and how a VM is made that its
 * host cannot look into (AMD SEV-SNP).
 *
 * @module
 */

import { createHash } from "node:crypto";
import { classify, ShimError } from "../../base/errors.ts";
import { vsockServiceId } from "../../base/guid.ts";
import type { Guest } from "../../bridge/guest.ts";
import {
  type ModifyRequest,
  SecurityPolicy,
} from "../../bridge/messages.gen.ts";
import { bridgePort, firstStdioPort } from "../../bridge/places.ts";
import type {
  Chipset,
  GuestState,
  HvSocketConfig,
  HvSocketServiceConfig,
  SecuritySettings,
} from "../../hcs/documents.gen.ts";
import type { HostFiles } from "../../hcs/ports.ts";
import { type AnnotationReader, vmAnnotations } from "../../oci/annotations.ts";
import { bootFileNames, type BootPlan } from "./boot.ts";
import type { VmDocument } from "./document.ts";
import { entropyPort, logPort } from "./kernel_command_line.ts";
import type { ConfidentialConfig, DocumentInput, FileCopy } from "./options.ts";

const defaultEnforcer = "rego";
const defaultReferenceInfo = "reference_info.cose";
const defaultHashEnvelope = "reference_info_hash_envelope.cose";

/** Firmware, kernel and initial ramdisk in one measured file. */
const defaultGuestState = "kernel.vmgs";

/** The root file system with its hash tree; it has this name in the bundle, too. */
const defaultRootfs = "rootfs.vhd";

/** Microsoft's template for Linux guests ("open source shielded VM"). */
const secureBootTemplate = "1734c6e8-3154-4dda-ba5f-a874cc483422";

/** The paravisor listens in the name of the guest: everyone may bind. */
const anyoneBinds = "D:P(A;;FA;;;WD)";

const administratorsConnect = "D:P(A;;FA;;;SY)(A;;FA;;;BA)";

/** What the guest is to enforce, or undefined when nobody says. */
export function confidentialConfig(
  annotations: AnnotationReader,
): ConfidentialConfig | undefined {
  const securityPolicy = annotations.text(vmAnnotations.securityPolicy);
  if (!securityPolicy) return undefined;
  const { uvmReferenceInfoFile, uvmHashEnvelopeReferenceInfoFile } =
    vmAnnotations;
  return {
    securityPolicy,
    enforcer: annotations.text(vmAnnotations.securityPolicyEnforcer) ||
      defaultEnforcer,
    // An empty name says that there is no such file.
    referenceInfoFile: annotations.text(uvmReferenceInfoFile) ??
      defaultReferenceInfo,
    hashEnvelopeFile: annotations.text(uvmHashEnvelopeReferenceInfoFile) ??
      defaultHashEnvelope,
  };
}

/** How an isolated VM boots. */
export interface IsolatedBoot {
  /** For the disk that it is created with. */
  readonly plan: BootPlan;
  /** For the document. */
  readonly guestState: GuestState;
  /** Files that must be in the bundle before the VM is created. */
  readonly copies: readonly FileCopy[];
}

/**
 * Decides how an isolated VM boots: from copies in its bundle, because the VM
 * writes to both.
 *
 * @throws {ShimError} NotFound for a missing directory or file.
 */
export function planIsolatedBoot(
  { boot, bundle, host }: DocumentInput,
  annotations: AnnotationReader,
): IsolatedBoot {
  const { path: directory } = boot;
  const files = bootFileNames(boot);
  const fromBoot = (what: string, name: string): string => {
    const path = host.join(directory, name);
    if (files.has(name)) return path;
    throw new ShimError("NotFound", `the ${what} file "${path}" was not found`);
  };
  const stateName = annotations.text(vmAnnotations.guestStateFile) ||
    defaultGuestState;
  const rootfsName = annotations.text(vmAnnotations.dmVerityRootfsVhd) ||
    defaultRootfs;
  const template = fromBoot("GuestState vmgs", stateName);
  const source = fromBoot("DM Verity VHD", rootfsName);
  const guestState = host.join(bundle, stateName);
  const rootfs = host.join(bundle, defaultRootfs);
  return {
    plan: {
      kernelDirect: false,
      kernel: guestState,
      rootfs,
      isDisk: true,
      directory,
    },
    guestState: {
      GuestStateFilePath: guestState,
      GuestStateFileType: "FileMode",
      ForceTransientState: true,
    },
    copies: [
      { from: template, to: guestState },
      { from: source, to: rootfs },
    ],
  };
}

/** The `Chipset` of an isolated VM: it takes the kernel from its guest state. */
export function isolatedChipset(): Chipset {
  return {
    Uefi: {
      ApplySecureBootTemplate: "Apply",
      SecureBootTemplateId: secureBootTemplate,
    },
  };
}

const base64 =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function policyDigest(policy: string): string {
  const text = policy.replace(/[\r\n]/g, "");
  if (!base64.test(text)) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot make the digest of the security policy: annotation ${vmAnnotations.securityPolicy} is not base64`,
    );
  }
  return createHash("sha256").update(Uint8Array.fromBase64(text))
    .digest("base64");
}

/**
 * The `SecuritySettings` of an isolated VM. The policy is part of what the
 * hardware attests.
 *
 * @throws {ShimError} InvalidArgument when the policy is not base64.
 */
export function isolation(
  { securityPolicy }: ConfidentialConfig,
  annotations: AnnotationReader,
): SecuritySettings {
  const hcl = annotations.optionalBool(vmAnnotations.hclEnabled);
  return {
    EnableTpm: false,
    Isolation: {
      IsolationType: "SecureNestedPaging",
      LaunchData: policyDigest(securityPolicy),
      ...(hcl === undefined ? {} : { HclEnabled: hcl }),
    },
  };
}

/** Who may use which socket of an isolated VM: our ports, and those of the user. */
export function isolatedSockets(annotations: AnnotationReader): HvSocketConfig {
  const service: HvSocketServiceConfig = {
    BindSecurityDescriptor: anyoneBinds,
    ConnectSecurityDescriptor: administratorsConnect,
    AllowWildcardBinds: true,
  };
  const ports = [
    entropyPort,
    logPort,
    bridgePort,
    firstStdioPort,
    ...annotations.uint32List(vmAnnotations.extraVsockPorts),
  ];
  return {
    DefaultBindSecurityDescriptor: anyoneBinds,
    DefaultConnectSecurityDescriptor: administratorsConnect,
    ServiceTable: Object.fromEntries(
      ports.map((port) => [vsockServiceId(port), service]),
    ),
  };
}

/** Signed descriptions of the VM, base64; empty where the host has none. */
export interface ReferenceInfo {
  /** Content of `referenceInfoFile`. */
  readonly reference: string;
  /** Content of `hashEnvelopeFile`. */
  readonly hashEnvelope: string;
}

/** The content of a file of the boot directory in base64; empty when there is none. */
async function readEncoded(
  files: Pick<HostFiles, "join" | "read">,
  directory: string,
  name: string,
): Promise<string> {
  if (name === "") return "";
  try {
    const bytes = await files.read(files.join(directory, name));
    return bytes.toBase64();
  } catch (error) {
    if (classify(error) === "NotFound") return "";
    throw error;
  }
}

/**
 * Reads the signed descriptions of the VM, which lie beside what they describe:
 * in the directory that it boots from. (The peer looks into the default boot
 * directory, whichever the VM boots from.)
 *
 * @throws {ShimError} when a file is there that cannot be read.
 */
async function readReferenceInfo(
  files: Pick<HostFiles, "join" | "read">,
  directory: string,
  { referenceInfoFile, hashEnvelopeFile }: ConfidentialConfig,
): Promise<ReferenceInfo> {
  const [reference, hashEnvelope] = await Promise.all([
    readEncoded(files, directory, referenceInfoFile),
    readEncoded(files, directory, hashEnvelopeFile),
  ]);
  return { reference, hashEnvelope };
}

/** Tells the guest what to enforce; the first request of a confidential VM. */
export function policyRequest(
  { enforcer, securityPolicy }: Pick<
    ConfidentialConfig,
    "enforcer" | "securityPolicy"
  >,
  { reference, hashEnvelope }: ReferenceInfo,
): ModifyRequest {
  return {
    ResourceType: "SecurityPolicy",
    RequestType: "Add",
    Settings: SecurityPolicy.encode({
      EnforcerType: enforcer,
      EncodedSecurityPolicy: securityPolicy,
      EncodedUVMReference: reference,
      EncodedUVMHashEnvelopeReference: hashEnvelope,
    }),
  };
}

/**
 * Tells the guest of a confidential VM what to enforce; others hear nothing.
 *
 * @throws {ShimError} what the guest answered, or why a description of the VM
 * cannot be read.
 */
export async function sendPolicy(
  guest: Pick<Guest, "modify">,
  files: Pick<HostFiles, "join" | "read">,
  { boot, sandboxOptions: { confidential } }: Pick<
    VmDocument,
    "boot" | "sandboxOptions"
  >,
): Promise<void> {
  if (confidential === undefined) return;
  const info = await readReferenceInfo(files, boot.directory, confidential);
  await guest.modify(policyRequest(confidential, info));
}
