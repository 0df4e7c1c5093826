/**
 * What a test asks of `shim_client.ts`.
 *
 * @module
 */

import type { TaskV2 } from "../../ttrpc/api/task.gen.ts";
import type { UnaryMethod } from "../../ttrpc/client.ts";

/** Parameters of each command. */
interface Commands {
  /** Runs `containerd-shim-lcow-v2` with these arguments to its end. */
  start: {
    readonly args: readonly string[];
    readonly bundle: string;
    readonly env: Readonly<Record<string, string>>;
  };
  /** Runs `lcow` on a host with one endpoint. */
  lcow: {
    readonly address: string;
    readonly args: readonly string[];
    readonly input: string;
  };
  /** Calls the Task service at an address. */
  call: {
    readonly address: string;
    readonly method: UnaryMethod<typeof TaskV2>;
    readonly request: Readonly<Record<string, unknown>>;
  };
  /** Waits until the connection to an address has ended. */
  closed: { readonly address: string };
  /** Serves a pipe for a stream of a task. */
  serve: { readonly pipe: string };
  /** Connects to a pipe that the shim serves. */
  dial: { readonly pipe: string };
  /** Writes to whoever connected to a pipe. */
  input: { readonly pipe: string; readonly text: string };
  /** What came through a pipe, once it holds `until`, or has ended. */
  output: { readonly pipe: string; readonly until?: string | undefined };
  /** Ends a pipe. */
  close: { readonly pipe: string };
  /** Serves containerd's event service. */
  events: { readonly pipe: string };
  /** Topics of the events that came, oldest first. */
  topics: Readonly<Record<never, never>>;
}

/** Names of the commands. */
export type CommandName = keyof Commands;

/** Parameters of one command. */
export type Command<K extends CommandName> = Commands[K];
