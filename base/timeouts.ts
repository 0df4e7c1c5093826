/**
 * Every bound of the product, in milliseconds unless said otherwise, in one
 * table with its origin. Tests and operators override single rows.
 *
 * @module
 */

/** The bounds; see {@linkcode defaultTimeouts} for what each one limits. */
export type Timeouts = typeof defaultTimeouts;

/** Defaults of all bounds. */
export const defaultTimeouts = {
  /** HcsCreateComputeSystem until its completion (hcsshim: 240 s). */
  systemCreate: 240_000,
  /** HcsStartComputeSystem until its completion (hcsshim: 240 s). */
  systemStart: 240_000,
  /** Any other call of the compute service (hcsshim: 240 s). */
  systemCall: 240_000,
  /** Start of a VM: HCS start, first dials, negotiation (hcsshim: 120 s). */
  vmStart: 120_000,
  /** Terminate until the exit notification (hcsshim: 30 s). */
  vmTerminate: 30_000,
  /** A request to the guest without an answer ends the bridge (hcsshim: 5 min). */
  guestCall: 300_000,
  /** A VM whose bridge is lost may end by itself, of a panic say, before it is ended. */
  bridgeLost: 5_000,
  /** The guest tells what it is doing (hcsshim: 5 s). */
  guestStacks: 5_000,
  /**
   * The guest lists the processes of a container; then the client gets those that
   * are known (containerd's budget for a shim that it finds again: 5 s).
   */
  processList: 2_000,
  /** The guest tells whether memory was the reason of an exit. */
  memoryEvents: 5_000,
  /** Delete of a running or just stopped init waits for its end (hcsshim: 30 s). */
  deleteWait: 30_000,
  /** Output may still come after a process exited (hcsshim: 1 s). */
  drainGrace: 1_000,
  /** Output may still move, and a client be slow to take it, after a process exited. */
  drainLimit: 30_000,
  /** A logging program says that it is ready (hcsshim: 10 s). */
  loggerReady: 10_000,
  /** A logging program whose streams have ended is over, or is killed (hcsshim: 10 s). */
  loggerExit: 10_000,
  /**
   * `start` waits for its `serve` child to be connectable. A child that ends is
   * noticed at once, so that only one that hangs takes this long; a node that
   * starts many pods at once may need more than 10 s. containerd has no bound of
   * its own, kubelet gives a sandbox 4 min (hcsshim: waits for ever).
   */
  serveReady: 30_000,
  /** `start` finds out whether somebody serves its group's endpoint. */
  endpointDial: 1_000,
  /** A named pipe whose instances are all taken is dialled again (hcsshim: 2 s). */
  pipeBusy: 2_000,
  /** `start` asks containerd's executable for its version (measured: at most 90 ms). */
  containerdVersion: 2_000,
  /** `delete` must have answered (containerd's budget for it: 5 s). */
  binaryDelete: 4_000,
  /** One look of `doctor` at the machine. */
  doctorCheck: 10_000,
  /** One question of `lcow` to a shim; longer than what the guest has. */
  diagCall: 10_000,
  /** One part of what `lcow bundle` collects. */
  bundlePart: 30_000,
  /** `serve` without a sandbox ends itself. */
  idle: 60_000,
  /** An implicit VM whose last container is gone ends without a Shutdown. */
  implicitVmIdle: 10_000,
  /** One attempt to forward an event (containerd: 5 s). */
  eventForward: 5_000,
  /** The last replies leave before `serve` ends. */
  lastReplies: 1_000,
  /** The VMs end at the shutdown of `serve`: `vmTerminate`, and what comes after it. */
  shutdown: 40_000,
  /** A Shutdown ends the VMs before its reply (containerd's budget for it: 3 s). */
  shutdownReply: 2_500,
  /**
   * The exits of the containers of VMs that have ended are told at the shutdown;
   * longer than `drainGrace` and `loggerExit` together.
   */
  exitsTold: 15_000,
  /** A collector of spans answers one request; `serve` waits for the last at its end. */
  spanExport: 1_000,
  /** Guest: pause between attempts to reach the host. */
  guestRedial: 100,
  /** Guest: attempts to reach the host while it times out. */
  guestDialAttempts: 10,
  /** Guest: a block device or network interface must appear. */
  deviceWait: 5_000,
  /** Guest: an address must have come from DHCP (hcsshim means 30 s). */
  dhcp: 30_000,
  /** Guest: pause between attempts to unmount what is in use. */
  unmountRetry: 20,
  /** Guest: attempts to unmount what is in use. */
  unmountAttempts: 100,
  /** Guest: a program such as mkfs or cryptsetup must have ended. */
  guestProgram: 120_000,
  /** Guest: the server of a share must let itself be mounted. */
  shareMount: 30_000,
  /** Guest: a PCI device must appear (hcsshim: none but that of the call). */
  pciWait: 60_000,
  /** Guest: power off after the bridge was told to quit. */
  guestQuit: 5_000,
};

/** The defaults with some rows replaced. */
export function timeoutsWith(overrides: Partial<Timeouts>): Timeouts {
  return { ...defaultTimeouts, ...overrides };
}

/** Variables of hcsshim that name a bound, in whole seconds, and the row of each. */
const variables = [
  ["HCSSHIM_TIMEOUT_SYSTEMCREATE", "systemCreate"],
  ["HCSSHIM_TIMEOUT_SYSTEMSTART", "systemStart"],
  ["HCSSHIM_TIMEOUT_GCSCONNECTION", "vmStart"],
] as const;

/**
 * The defaults with the rows that an operator has set by variables of hcsshim
 * (`HCSSHIM_TIMEOUT_SYSTEMCREATE`, `…_SYSTEMSTART`, `…_GCSCONNECTION`). What is no
 * positive number of whole seconds is ignored, as hcsshim does. A longer start of the
 * compute system lengthens the start of the VM, which it is a part of.
 *
 * @param env Value of a variable; undefined when it is not set.
 *
 * @example A slow host
 * ```ts
 * import { operatorTimeouts } from "./timeouts.ts";
 * const { systemCreate } = operatorTimeouts((name) =>
 *   name === "HCSSHIM_TIMEOUT_SYSTEMCREATE" ? "600" : undefined
 * );
 * console.assert(systemCreate === 600_000);
 * ```
 */
export function operatorTimeouts(
  env: (name: string) => string | undefined,
): Timeouts {
  const set: Partial<Timeouts> = {};
  for (const [variable, row] of variables) {
    const text = env(variable) ?? "";
    if (/^[0-9]{1,9}$/.test(text) && Number(text) > 0) {
      set[row] = Number(text) * 1000;
    }
  }
  const { vmStart = defaultTimeouts.vmStart, systemStart = 0 } = set;
  return timeoutsWith({ ...set, vmStart: vmStart + systemStart });
}

/** Sizes and counts that neither side may exceed, so that each survives the other. */
export const limits = {
  /** A bridge frame from the guest, with its header (hcsshim kills the bridge beyond). */
  guestFrame: 0x10000,
  /** A bridge frame from the host, with its header. */
  hostFrame: 64 * 1024 * 1024,
  /** Containers of one sandbox. */
  containers: 1024,
  /** Processes of one container, including its init. */
  processes: 4096,
  /** Network namespaces of one VM, as the guest keeps them. */
  networkNamespaces: 1024,
  /** Network adapters of one VM; Hyper-V has fewer places. */
  adapters: 1024,
  /** Addresses of one network adapter. */
  addresses: 256,
  /** Routes of one network adapter. */
  routes: 1024,
  /** Search domains, and name servers, of one network adapter. */
  dnsEntries: 64,
  /** One line of the guest's log. */
  logLine: 64 * 1024,
  /** Lines of the guest's log per second; further ones are only counted. */
  logRate: 1_000,
  /** Characters of what a shim tells of itself; a ttrpc message has 4 MiB. */
  stacks: 1024 * 1024,
  /** Bytes of one generation of a sandbox's log file; two are kept. */
  logFile: 4 * 1024 * 1024,
  /** Sandboxes whose log files are kept, without those that run. */
  logFiles: 256,
  /** Bytes of all log files together, without those of sandboxes that run. */
  logFolder: 512 * 1024 * 1024,
  /** Events that wait for containerd. */
  events: 4096,
  /** A file that the shim reads whole, for example `config.json`. */
  file: 16 * 1024 * 1024,
} as const;
