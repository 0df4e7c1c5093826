/**
 * DiagShare's effect: a path of the host in the VM.
 *
 * @module
 */

import { classify, messageOf, ShimError } from "../base/errors.ts";
import {
  type PathFiles,
  type Plan9Controller,
  planShare,
  shareForLife,
  type SharePlan,
} from "../controllers/device/plan9/mod.ts";
import type { SharedPath } from "./runtime.ts";

/** Host and VM. */
export interface SharePeers {
  /** The shares of the VM. */
  readonly plan9: Plan9Controller;
  /** The files of the host. */
  readonly files: PathFiles;
}

async function plan(
  files: PathFiles,
  { hostPath, readOnly }: SharedPath,
): Promise<SharePlan> {
  try {
    return await planShare(files, hostPath, readOnly);
  } catch (cause) {
    throw new ShimError(
      classify(cause),
      `failed to open source path "${hostPath}": ${messageOf(cause)}`,
      { cause },
    );
  }
}

/**
 * Shares a directory, or a file as a directory in which only it is visible,
 * until the end of the VM.
 *
 * @param signal Ends it; nothing is shared then.
 * @returns The path in the guest.
 * @throws {ShimError} `failed to open source path` when there is none; else what
 * {@linkcode Plan9Controller} throws.
 */
export async function sharePath(
  { plan9, files }: SharePeers,
  path: SharedPath,
  signal: AbortSignal,
): Promise<string> {
  return await shareForLife(plan9, await plan(files, path), signal);
}
