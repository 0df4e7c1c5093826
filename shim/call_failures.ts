/**
 * Which failures of calls are news for an operator, and how they are logged.
 *
 * @module
 */

import { classify, type ErrorCode, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

/**
 * Failures of everyday life, by the method that is answered with them: containerd
 * and kubelet ask for what has just gone, and measure what has ended.
 */
const everyday: Readonly<Record<string, readonly ErrorCode[]>> = {
  State: ["NotFound"],
  Wait: ["NotFound"],
  Kill: ["NotFound"],
  Delete: ["NotFound"],
  Pids: ["NotFound", "FailedPrecondition"],
  Stats: ["NotFound", "FailedPrecondition"],
  CloseIO: ["NotFound", "FailedPrecondition"],
  ResizePty: ["NotFound", "FailedPrecondition"],
  StopSandbox: ["NotFound"],
  WaitSandbox: ["NotFound"],
  SandboxStatus: ["NotFound"],
  PingSandbox: ["NotFound"],
  ShutdownSandbox: ["NotFound"],
  SandboxMetrics: ["NotFound", "FailedPrecondition"],
  DiagStacks: ["FailedPrecondition", "DeadlineExceeded"],
  DiagTasks: ["FailedPrecondition"],
};

/**
 * Logs a call that is answered with an error: a warning, or a line of level debug
 * where that happens every day.
 *
 * @param log Gets the line.
 * @param call What was called.
 * @param error What its handler threw.
 */
export function logFailedCall(
  log: Logger,
  { service, method }: { readonly service: string; readonly method: string },
  error: unknown,
): void {
  const code = classify(error);
  // Nobody gets the answer when the client has left.
  const isNews = code !== "Canceled" && !everyday[method]?.includes(code);
  const level = isNews ? "warn" : "debug";
  log[level]("Call failed", {
    rpc: `${service}/${method}`,
    code,
    error: messageOf(error),
  });
}
