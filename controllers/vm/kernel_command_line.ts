/**
 * The kernel command line of a VM: arguments of the kernel, then, behind `--`,
 * those of its init, which starts the guest agent.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { type AnnotationReader, vmAnnotations } from "../../oci/annotations.ts";
import type { BootPlan } from "./boot.ts";
import type { RuntimeOptions } from "./options.ts";

/** vsock port to which the guest's init copies the agent's log. */
export const logPort = 109;

/** vsock port from which the guest's init seeds the random pool. */
export const entropyPort = 1;

const escapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** Quotes a text as Go does, which is what the kernel's parser undoes. */
function quote(text: string): string {
  const escaped = text.replace(
    // deno-lint-ignore no-control-regex -- control characters are what is escaped
    /[\x00-\x1f"\\\x7f]/g,
    (char) =>
      escapes[char] ??
        `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}

function rootArguments(
  plan: BootPlan,
  annotations: AnnotationReader,
): readonly string[] {
  if (!plan.isDisk) return plan.kernelDirect ? [] : ["initrd=/initrd.img"];
  if (!annotations.bool(vmAnnotations.dmVerityMode)) {
    return ["root=/dev/sda ro rootwait init=/init"];
  }
  const table = annotations.text(vmAnnotations.dmVerityCreateArgs);
  if (!table) {
    throw new ShimError(
      "InvalidArgument",
      `DmVerityCreateArgs should be set when DmVerityMode is true and not booting from a vmgs file: set annotation ${vmAnnotations.dmVerityCreateArgs}`,
    );
  }
  return [`root=/dev/dm-0 dm-mod.create=${quote(table)} init=/init`];
}

/** The command that starts the guest agent, as one text. */
function agentCommand(
  options: RuntimeOptions,
  annotations: AnnotationReader,
): string {
  const { scrubLogs } = options;
  const migrates = annotations.bool(vmAnnotations.migrationSupport);
  const dumpLocation = annotations.text(vmAnnotations.processDumpLocation);
  const extra = annotations.text(vmAnnotations.extraExecCommandArgs);
  return [
    `/bin/vsockexec ${migrates ? "-r " : ""}-e ${logPort}`,
    "/bin/gcs",
    "-v4",
    "-log-format json",
    `-loglevel ${options.logLevel || "info"}`,
    ...(annotations.bool(vmAnnotations.timeSyncDisable)
      ? ["-disable-time-sync"]
      : []),
    ...(scrubLogs === undefined ? [] : [`-scrub-logs=${scrubLogs}`]),
    ...(dumpLocation ? [`-core-dump-location ${dumpLocation}`] : []),
    ...(extra ? [extra] : []),
  ].join(" ");
}

function initArguments(
  plan: BootPlan,
  options: RuntimeOptions,
  annotations: AnnotationReader,
  hasConsole: boolean,
  log: Logger,
): readonly string[] {
  const wantsOverlay = annotations.bool(
    vmAnnotations.writableOverlayDirectories,
  );
  if (wantsOverlay && !plan.isDisk) {
    log.warn("Annotation ignored: an initial ramdisk is writable already", {
      annotation: vmAnnotations.writableOverlayDirectories,
    });
  }
  const command = agentCommand(options, annotations);
  return [
    `-e ${entropyPort}`,
    ...(wantsOverlay && plan.isDisk ? ["-w"] : []),
    // The init takes everything behind -c as the shell's text, without a blank.
    hasConsole ? `sh -c"${command}& exec sh"` : command,
  ];
}

/**
 * Builds the kernel command line.
 *
 * @param plan How the VM boots.
 * @param options The runtime options.
 * @param annotations The annotations of the sandbox.
 * @param processors Virtual processors of the VM.
 * @param hasConsole Whether a serial console is attached.
 * @param log Where warnings go.
 * @throws {ShimError} InvalidArgument when dm-verity lacks its table.
 */
export function kernelCommandLine(
  plan: BootPlan,
  options: RuntimeOptions,
  annotations: AnnotationReader,
  processors: number,
  hasConsole: boolean,
  log: Logger = silentLogger,
): string {
  const bootOptions = annotations.text(vmAnnotations.kernelBootOptions);
  return [
    ...rootArguments(plan, annotations),
    // The guest uses Hyper-V sockets; virtio's would claim the address family.
    "initcall_blacklist=virtio_vsock_init",
    ...(hasConsole
      ? [
        "8250_core.nr_uarts=1 8250_core.skip_txen_test=1 console=ttyS0,115200",
      ]
      : ["8250_core.nr_uarts=0", "panic=-1 quiet"]),
    ...(bootOptions ? [bootOptions] : []),
    ...(annotations.bool(vmAnnotations.vpciEnabled) ? [] : ["pci=off"]),
    `nr_cpus=${processors}`,
    "brd.rd_nr=0 pmtmr=0",
    "--",
    ...initArguments(plan, options, annotations, hasConsole, log),
  ].join(" ");
}
