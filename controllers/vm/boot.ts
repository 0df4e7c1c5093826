/**
 * How a VM boots: which kernel, which root file system, which firmware.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Chipset } from "../../hcs/documents.gen.ts";
import { type AnnotationReader, vmAnnotations } from "../../oci/annotations.ts";
import type { BootDirectory, DocumentInput } from "./options.ts";

/** First Windows build that boots a Linux kernel without firmware. */
const kernelDirectBuild = 18286;

const initrd = "initrd.img";
const vhd = "rootfs.vhd";

/** How a VM boots. */
export interface BootPlan {
  /** True without firmware. */
  readonly kernelDirect: boolean;
  /** Absolute path of the kernel. */
  readonly kernel: string;
  /** Absolute path of the root file system. */
  readonly rootfs: string;
  /** Whether the root file system is a disk (else an initial ramdisk). */
  readonly isDisk: boolean;
  /** Absolute path of the directory with both. */
  readonly directory: string;
}

function missing(message: string): ShimError {
  return new ShimError("NotFound", message);
}

function kernelName(files: ReadonlySet<string>, kernelDirect: boolean): string {
  if (!kernelDirect) {
    if (files.has("kernel")) return "kernel";
    throw missing('Kernel file "kernel" not found in boot files path');
  }
  const found = ["vmlinux", "kernel"].find((name) => files.has(name));
  if (found !== undefined) return found;
  throw missing(
    "Kernel file not found in boot files path for kernel direct boot; it is called vmlinux or kernel",
  );
}

function rootfsName(
  files: ReadonlySet<string>,
  preferred: string | undefined,
): string {
  if (!preferred) return files.has(vhd) ? vhd : initrd;
  if (preferred !== "initrd" && preferred !== "vhd") {
    throw new ShimError(
      "InvalidArgument",
      `Invalid PreferredRootFSType: ${preferred}; use initrd or vhd`,
    );
  }
  const name = preferred === "vhd" ? vhd : initrd;
  if (!files.has(name)) throw missing(`"${name}" not found in boot files path`);
  return name;
}

/**
 * The names of the files in the boot directory.
 *
 * @throws {ShimError} NotFound when there is no such directory.
 */
export function bootFileNames(
  { path, files }: BootDirectory,
): ReadonlySet<string> {
  if (files !== undefined) return files;
  throw missing(
    `boot_files_root_path "${path}" not found: it must hold the kernel and the root file system of the VM`,
  );
}

/**
 * Decides how the VM boots.
 *
 * @throws {ShimError} NotFound for a missing directory or file,
 * FailedPrecondition for a way to boot that the host does not know,
 * InvalidArgument for a bad annotation.
 */
export function planBoot(
  { boot, host }: DocumentInput,
  annotations: AnnotationReader,
): BootPlan {
  const files = bootFileNames(boot);
  const canBootDirectly = host.build >= kernelDirectBuild;
  const kernelDirect = annotations.bool(
    vmAnnotations.kernelDirectBoot,
    canBootDirectly && host.arch !== "arm64",
  );
  if (kernelDirect && !canBootDirectly) {
    throw new ShimError(
      "FailedPrecondition",
      `KernelDirectBoot is not supported on builds older than ${kernelDirectBuild}; this one is ${host.build}`,
    );
  }
  const kernel = kernelName(files, kernelDirect);
  const rootfs = rootfsName(
    files,
    annotations.text(vmAnnotations.preferredRootfsType),
  );
  return {
    kernelDirect,
    kernel: host.join(boot.path, kernel),
    rootfs: host.join(boot.path, rootfs),
    isDisk: rootfs === vhd,
    directory: boot.path,
  };
}

/** The `Chipset` of a VM that boots like this. */
export function chipset(plan: BootPlan, commandLine: string): Chipset {
  if (plan.kernelDirect) {
    return {
      LinuxKernelDirect: {
        KernelFilePath: plan.kernel,
        ...(plan.isDisk ? {} : { InitRdPath: plan.rootfs }),
        KernelCmdLine: commandLine,
      },
    };
  }
  return {
    Uefi: {
      BootThis: {
        DeviceType: "VmbFs",
        DevicePath: "\\kernel",
        VmbFsRootPath: plan.directory,
        OptionalData: commandLine,
      },
    },
  };
}
