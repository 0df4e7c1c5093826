/**
 * What `lcow` knows about the shims of a host. The members are those of `--json`
 * and stay as they are: what is not known is absent, never invented.
 *
 * @module
 */

import type { Timestamp } from "../../ttrpc/api/any.gen.ts";
import type {
  CallDescription,
  DescribeResponse,
  GuestCallDescription,
  ProcessDescription,
  SandboxDescription,
  TaskDescription,
} from "../../ttrpc/api/operator.gen.ts";
import { isoTime } from "../timestamp.ts";

/** A process of a container. */
export interface ProcessReport {
  /** Exec id; empty for init. */
  readonly id: string;
  /** In the guest; 0 before it runs. */
  readonly pid?: number;
  /** In containerd's words, for example `RUNNING`. */
  readonly status?: string;
  /** Unsigned; absent before its end. */
  readonly exitCode?: number;
  /** ISO 8601; absent before its end. */
  readonly exitedAt?: string;
  /** Why the shim could not tell its state. */
  readonly problem?: string;
}

/** A task of containerd. */
export interface TaskReport {
  /** Its id. */
  readonly id: string;
  /** Its bundle. */
  readonly bundle?: string;
  /** Id of its sandbox. */
  readonly sandbox?: string;
  /** Id of its pod. */
  readonly pod?: string;
  /** `sandbox`, `workload` or `standalone`. */
  readonly kind?: string;
  /** State of its container. */
  readonly state?: string;
  /** Its first process; absent when it has no container. */
  readonly init?: ProcessReport;
  /** Its further processes. */
  readonly execs: readonly ProcessReport[];
}

/** A request to the guest that is not answered yet. */
export interface GuestCallReport {
  /** Its name. */
  readonly rpc: string;
  /** GUID in the guest. */
  readonly containerId: string;
  /** When it was sent, ISO 8601. */
  readonly since?: string;
}

/** A sandbox and its VM. */
export interface SandboxReport {
  /** Its id. */
  readonly id: string;
  /** Its bundle. */
  readonly bundle: string;
  /** State of the VM. */
  readonly vmState: string;
  /** Id of the compute system. */
  readonly systemId: string;
  /** GUID of the VM; absent before there is one. */
  readonly runtimeId?: string;
  /** When the VM ran first, ISO 8601. */
  readonly startedAt?: string;
  /** When the VM ended, ISO 8601. */
  readonly endedAt?: string;
  /** Whether a task needed it, and no client asked for it. */
  readonly implicit: boolean;
  /** Ids of its pods. */
  readonly pods: readonly string[];
  /** What the guest has not answered. */
  readonly guestCalls: readonly GuestCallReport[];
}

/** A call of a client that is not answered yet. */
export interface CallReport {
  /** Full name of the service. */
  readonly service: string;
  /** Name of the method. */
  readonly method: string;
  /** Ids that it names. */
  readonly ids: readonly string[];
  /** When it came, ISO 8601. */
  readonly since?: string;
  /** Whether anybody waits for the answer still. */
  readonly hasClient: boolean;
}

/**
 * What stands behind an endpoint: `serving` answers, `silent` accepts connections
 * but does not answer in time, `dead` has nobody, `foreign` is a program that is
 * no such shim.
 */
export type ShimState = "serving" | "silent" | "dead" | "foreign";

/** A shim, or what is left of one. */
export interface ShimReport {
  /** Address of its endpoint. */
  readonly address: string;
  /** Whether it answers. */
  readonly state: ShimState;
  /** What is wrong with it, or what it could not tell. */
  readonly problem?: string;
  /** containerd's namespace. */
  readonly namespace?: string;
  /** Id of its group: of the pod's sandbox, or of the standalone container. */
  readonly key?: string;
  /** Version of the program; absent for one that is older than this service. */
  readonly version?: string;
  /** Level of its service for `lcow`; 0 for none. */
  readonly apiLevel?: number;
  /** Its process. */
  readonly pid?: number;
  /** When it was started, ISO 8601. */
  readonly startedAt?: string;
  /** Its sandboxes; absent when it cannot tell. */
  readonly sandboxes?: readonly SandboxReport[];
  /** Its tasks; absent when it cannot tell. */
  readonly tasks?: readonly TaskReport[];
  /** Its calls under way; absent when it cannot tell. */
  readonly calls?: readonly CallReport[];
}

/** A member that is there when its value is neither undefined nor empty. */
export function known<N extends string, T>(
  name: N,
  value: T | "" | undefined,
): { readonly [M in N]?: T } {
  return (value === undefined || value === "" ? {} : { [name]: value }) as {
    readonly [M in N]?: T;
  };
}

/** A time that may be absent. */
export function time<N extends string>(
  name: N,
  value: Timestamp | undefined,
): { readonly [M in N]?: string } {
  return known(name, value === undefined ? undefined : isoTime(value));
}

/** The report of a process that a shim described. */
function processReport(
  { id, pid, status, exitCode, exitedAt }: ProcessDescription,
): ProcessReport {
  const end = exitedAt === undefined
    ? {}
    : { exitCode, ...time("exitedAt", exitedAt) };
  return { id, pid, status, ...end };
}

function taskReport(
  { id, bundle, sandbox, pod, kind, state, init, execs }: TaskDescription,
): TaskReport {
  return {
    id,
    bundle,
    ...known("sandbox", sandbox),
    ...known("pod", pod),
    ...known("kind", kind),
    state,
    ...known("init", init && processReport(init)),
    execs: execs.map(processReport),
  };
}

function guestCallReport(
  { rpc, containerId, since }: GuestCallDescription,
): GuestCallReport {
  return { rpc, containerId, ...time("since", since) };
}

function sandboxReport(sandbox: SandboxDescription): SandboxReport {
  const { id, bundle, vmState, systemId, implicit, pods } = sandbox;
  return {
    id,
    bundle,
    vmState,
    systemId,
    ...known("runtimeId", sandbox.runtimeId),
    ...time("startedAt", sandbox.startedAt),
    ...time("endedAt", sandbox.endedAt),
    implicit,
    pods,
    guestCalls: sandbox.guestCalls.map(guestCallReport),
  };
}

function callReport(
  { service, method, ids, since, hasClient }: CallDescription,
): CallReport {
  return { service, method, ids, ...time("since", since), hasClient };
}

/** The report of a shim that described itself. */
export function describedReport(
  address: string,
  description: DescribeResponse,
): ShimReport {
  const { version, apiLevel, pid, namespace, key, startedAt } = description;
  return {
    address,
    state: "serving",
    namespace,
    key,
    version,
    apiLevel,
    pid,
    ...time("startedAt", startedAt),
    sandboxes: description.sandboxes.map(sandboxReport),
    tasks: description.tasks.map(taskReport),
    calls: description.calls.map(callReport),
  };
}

/** What a report is sorted by: namespace, key, address; unknown ones last. */
function order({ namespace, key, address }: ShimReport): string {
  return [namespace ?? "\uffff", key ?? "\uffff", address].join("\0");
}

/** Reports in a stable order. */
export function sorted(reports: readonly ShimReport[]): ShimReport[] {
  return reports.toSorted((a, b) => {
    const [left, right] = [order(a), order(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

/** What people call a shim: `namespace/key`, or its address. */
export function nameOf({ namespace, key, address }: ShimReport): string {
  if (key === undefined) return address;
  return namespace === undefined ? key : `${namespace}/${key}`;
}
