/**
 * The log of a shim: to the host's own sink, and to the sandbox's log file.
 *
 * @module
 */

import { classify, messageOf } from "../../base/errors.ts";
import {
  jsonLogger,
  type Logger,
  type LogOptions,
  type LogSink,
} from "../../base/log.ts";
import { limits } from "../../base/timeouts.ts";
import type { Platform } from "../../hcs/ports.ts";
import { type ProbeContext, probeEndpoint } from "../probe.ts";
import type { LogName } from "./names.ts";
import { type KeepLimits, pruneLogs } from "./prune.ts";
import { LogWriter } from "./writer.ts";

/** The line with which a shim's log begins; it has the `bundle`. */
export const shimServes = "The shim serves";

/** What a shim's log needs. */
export interface ShimLogParts {
  /** Where the folder and other shims are. */
  readonly platform: Pick<Platform, "logFolder" | "endpoint" | "connect">;
  /** Whose log it is. */
  readonly name: LogName;
  /** The host's own sink. */
  readonly sink: LogSink;
  /** How its lines are made. */
  readonly options: LogOptions;
}

/** A shim's log. */
export interface ShimLog {
  /** Takes the lines. */
  readonly log: Logger;
  /** The folder of its file; undefined when there can be none. */
  readonly folder: string | undefined;
  /** Closes its file. */
  close(): void;
}

/**
 * Opens the log of a shim. Without a log file, the shim works on: the host's own
 * sink hears why.
 */
export async function openShimLog(
  { platform, name, sink, options }: ShimLogParts,
): Promise<ShimLog> {
  const bare = jsonLogger(sink, options);
  const onFailure = (error: unknown): void => {
    bare.warn("The log file cannot be written; `lcow logs` lacks these lines", {
      error: messageOf(error),
    });
  };
  try {
    const folder = await platform.logFolder("write");
    const limit = limits.logFile;
    const writer = await LogWriter.open({ folder, name, limit, onFailure });
    const both: LogSink = (line) => {
      writer.sink(line);
      return sink(line);
    };
    const log = jsonLogger(both, options);
    return { log, folder, close: () => writer.close() };
  } catch (error) {
    onFailure(error);
    return { log: bare, folder: undefined, close: () => {} };
  }
}

/** What cleaning the folder needs. */
export interface PruneContext extends ProbeContext {
  /** Where other shims are. */
  readonly platform: Pick<Platform, "endpoint" | "connect">;
  /** Takes why it could not be cleaned. */
  readonly log: Logger;
}

/** Removes old logs, see {@linkcode pruneLogs}. Never rejects. */
export async function pruneLogsLogged(
  folder: string,
  context: PruneContext,
  keep?: KeepLimits,
): Promise<void> {
  const { platform, log } = context;
  const isServed = async ({ namespace, id }: LogName): Promise<boolean> => {
    const address = await platform.endpoint(namespace, id);
    try {
      await probeEndpoint(address, context);
      return true;
    } catch (error) {
      // The log of a shim that hangs is the one that people ask for.
      return classify(error) !== "Unavailable";
    }
  };
  try {
    await pruneLogs(folder, isServed, keep);
  } catch (error) {
    log.warn("Old log files cannot be removed", { error: messageOf(error) });
  }
}
