/**
 * `delete`: containerd's last resort for a task whose shim is gone. Cleans up
 * what may be left, touches nothing that is not certainly ours, and always
 * answers.
 *
 * @module
 */

import { abortable, type Clock, deadline } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { isNotFound } from "../base/hresult.ts";
import type { Timeouts } from "../base/timeouts.ts";
import { unknownExit } from "../controllers/process/status.ts";
import type { ComputeHost, ComputeSystem, Platform } from "../hcs/ports.ts";
import { vmSystemId } from "../hcs/system_id.ts";
import { DeleteResponse, TaskV3 } from "../ttrpc/api/task.gen.ts";
import { type Arguments, shimName } from "./args.ts";
import { groupOf } from "./grouping.ts";
import { isServed } from "./probe.ts";
import { timestamp } from "./timestamp.ts";
import { readVmRecord, type VmRecord } from "./vm_record.ts";

/** Bytes of `panic.log` that are passed on. */
export const maxPanicBytes: number = 1024 * 1024;

/** What `delete` needs of the world. */
export interface DeleteContext {
  /** Endpoints. */
  readonly platform: Pick<Platform, "endpoint" | "connect" | "cleanUp">;
  /** Loads the compute service; called only when a VM may be left. */
  readonly compute: () => Promise<
    Pick<ComputeHost, "open" | "enumerate">
  >;
  /** Writes a line that containerd logs as a warning. */
  readonly warn: (line: string) => void;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Pick<Timeouts, "binaryDelete" | "endpointDial">;
}

/**
 * Deletes what is left of a task.
 *
 * @param args The command line; without `-bundle` the working directory counts.
 * @returns A `DeleteResponse` for standard output, whatever happened.
 */
export async function deleteTask(
  args: Arguments,
  context: DeleteContext,
): Promise<Uint8Array> {
  const bundle = args.bundle === "" ? "." : args.bundle;
  await attempt(context, "panic.log", () => reportPanic(bundle, context));
  await attempt(
    context,
    `task "${args.id}"`,
    () =>
      deadline(
        context.clock,
        context.timeouts.binaryDelete,
        "the clean-up",
        (signal) => cleanUp(args, bundle, context, signal),
      ),
  );
  return DeleteResponse.encode({
    pid: 0,
    exitStatus: unknownExit,
    exitedAt: timestamp(context.clock.now()),
  });
}

async function attempt(
  { warn }: DeleteContext,
  what: string,
  task: () => Promise<void>,
): Promise<void> {
  try {
    await task();
  } catch (error) {
    warn(`Cannot clean up ${what}: ${messageOf(error)}`);
  }
}

/**
 * The beginning of a file.
 *
 * @param path The file.
 * @param limit Bytes that are read at most.
 * @throws When the file cannot be read.
 */
export async function readBounded(
  path: string,
  limit: number,
): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const n = await file.read(buffer.subarray(length));
    if (n === null) break;
    length += n;
  }
  return buffer.subarray(0, length);
}

/** Passes on what the shim's runtime wrote when it crashed. */
async function reportPanic(
  bundle: string,
  { warn }: DeleteContext,
): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(`${bundle}/panic.log`, maxPanicBytes + 1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (bytes.length === 0) return;
  const cut = bytes.length > maxPanicBytes;
  const text = new TextDecoder().decode(bytes.subarray(0, maxPanicBytes));
  warn(`The shim left a panic.log: ${text.trimEnd()}`);
  if (cut) warn(`panic.log is longer than ${maxPanicBytes} bytes and was cut`);
}

async function cleanUp(
  { namespace, id }: Arguments,
  bundle: string,
  context: DeleteContext,
  signal: AbortSignal,
): Promise<void> {
  const { platform } = context;
  const group = await readable(context, groupOf(bundle, id)) ??
    { key: id, member: false };
  // The VM belongs to the pod's sandbox; a member's end is none of its business.
  if (group.member) return;
  const address = await platform.endpoint(namespace, group.key);
  const served = await isServed(address, context);
  const record = await readable(context, readVmRecord(bundle));
  const system = await leftSystem(id, record, served, context);
  if (system !== undefined) await endSystem(system, signal);
  if (!served) await platform.cleanUp(namespace, group.key);
  else if (record !== undefined) await endShim(id, address, context, signal);
}

/** A file of the bundle, or undefined: the clean-up must do without a broken one. */
async function readable<T>(
  { warn }: DeleteContext,
  file: Promise<T>,
): Promise<T | undefined> {
  try {
    return await file;
  } catch (error) {
    warn(messageOf(error));
    return undefined;
  }
}

/**
 * Asks a shim whose VM has ended to end, too: containerd has forgotten its tasks.
 *
 * @throws When it does not answer in time.
 */
async function endShim(
  id: string,
  address: string,
  { platform, clock }: DeleteContext,
  signal: AbortSignal,
): Promise<void> {
  const { TtrpcClient } = await import("../ttrpc/client.ts");
  const stream = await platform.connect(address, signal);
  const client = new TtrpcClient(stream, { clock });
  try {
    await client.call(TaskV3, "Shutdown", { id, now: true }, { signal });
  } finally {
    await client.close();
  }
}

/**
 * The compute system that certainly belongs to this bundle: the one whose
 * RuntimeId the bundle's record names. Without that, one of our name and owner,
 * but only when its shim does not answer.
 */
async function leftSystem(
  id: string,
  record: VmRecord | undefined,
  served: boolean,
  { compute, warn }: DeleteContext,
): Promise<ComputeSystem | undefined> {
  if (record?.ended !== undefined) return undefined;
  const systemId = record?.systemId ?? vmSystemId(id);
  if (record?.runtimeId === undefined && served) return undefined;
  const service = await compute();
  if (record?.runtimeId === undefined) {
    const found = await service.enumerate({ Ids: [systemId] });
    const owner = found.find((row) => row.Id === systemId)?.Owner;
    if (owner !== shimName) {
      if (owner !== undefined) {
        warn(`Compute system "${systemId}" belongs to "${owner}": left alone`);
      }
      return undefined;
    }
  }
  const system = await openSystem(service, systemId);
  if (
    system === undefined || record?.runtimeId === undefined ||
    system.runtimeId.toLowerCase() === record.runtimeId.toLowerCase()
  ) return system;
  warn(
    `Compute system "${systemId}" is not the one of this bundle ` +
      `(RuntimeId ${system.runtimeId}, not ${record.runtimeId}): left alone`,
  );
  await system.close();
  return undefined;
}

/**
 * Opens a compute system.
 *
 * @returns Undefined when there is none.
 * @throws {HResultError} What else the service answered.
 */
export async function openSystem(
  service: Pick<ComputeHost, "open">,
  systemId: string,
): Promise<ComputeSystem | undefined> {
  try {
    return await service.open(systemId);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * Terminates a system, waits for its end and lets it go.
 *
 * @param signal Ends the wait.
 */
export async function endSystem(
  system: ComputeSystem,
  signal: AbortSignal,
): Promise<void> {
  try {
    await system.terminate();
    await abortable(system.exited, signal);
  } finally {
    await system.close();
  }
}
