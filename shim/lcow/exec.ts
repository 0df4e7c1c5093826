/**
 * `lcow exec`: runs a command in a virtual machine, outside of its containers, as
 * if it ran here: with our streams, and its exit code is ours.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { pump } from "../../base/pump.ts";
import type { ServedStdio } from "../../hcs/stdio.ts";
import {
  type ExecProcessRequest,
  ShimDiag,
} from "../../ttrpc/api/shimdiag.gen.ts";
import { OutputCopy } from "./output_copy.ts";
import { UsageError } from "./parser.ts";
import { findShimOf, withShim } from "./shims.ts";
import {
  type LcowContext,
  type LocalInput,
  namespaceOf,
  type Word,
} from "./word.ts";

/** What is to be run. */
type Command = Pick<ExecProcessRequest, "args" | "workdir" | "terminal">;

/** Our terminal hands every key on until the dispose. */
function rawMode(input: LocalInput): Disposable {
  input.setRaw(true);
  return { [Symbol.dispose]: () => input.setRaw(false) };
}

/**
 * Copies our input until it ends or nobody takes it. A read of it cannot be given
 * up, so that nobody waits for this.
 */
async function copyInput(
  input: LocalInput,
  { stdin }: ServedStdio,
): Promise<void> {
  await pump(input, stdin);
  await stdin.closeWrite();
}

/**
 * Runs a command with streams that are served for it, until all its output is
 * written.
 *
 * @returns Its exit code.
 * @throws {ShimError} Why it could not be run or was not seen to end.
 * @throws What our output says when it takes no more.
 */
async function execute(
  address: string,
  command: Command,
  served: ServedStdio,
  context: LcowContext,
  signal: AbortSignal,
): Promise<number> {
  const unread = new AbortController();
  const either = AbortSignal.any([signal, unread.signal]);
  const onFailure = (error: unknown): void => unread.abort(error);
  const copies = [
    new OutputCopy(served.stdout, context.print, onFailure),
    ...served.stderr === undefined
      ? []
      : [new OutputCopy(served.stderr, context.complain, onFailure)],
  ];
  copyInput(context.input, served).catch(onFailure);
  const finish = async (): Promise<void> => {
    const all = copies.map((copy) => copy.finish(context, either));
    await Promise.all(all);
    either.throwIfAborted();
  };
  let code: number;
  try {
    // The command lives by this connection: the shim kills it when we go.
    const { exitCode } = await withShim(
      address,
      context,
      either,
      (client) =>
        client.call(ShimDiag, "DiagExecInHost", {
          ...command,
          ...served.addresses,
        }, { signal: either }),
    );
    code = exitCode;
  } catch (error) {
    // The shim may have opened none of the streams; now it need not.
    await served.refuse();
    await finish();
    throw error;
  }
  await finish();
  return code;
}

/** See the module. */
export const exec: Word = {
  name: "exec",
  summary:
    "run a command in a VM, outside of its containers (`ctr task exec` runs " +
    "one in a container), with these streams and its exit code",
  operands: [
    { name: "ID", summary: "the sandbox, pod or container whose VM it is" },
    {
      name: "COMMAND",
      summary: "the command and its arguments, as they are",
      rest: true,
    },
  ],
  flags: [
    {
      name: "terminal",
      short: "t",
      summary: "give it a terminal, which does not learn the size of this one",
    },
    {
      name: "workdir",
      short: "w",
      value: "DIR",
      summary: "its working directory in the VM",
    },
  ],
  async run(invocation, context, signal) {
    const { operands: [id = "", ...args], switches, values } = invocation;
    if (switches.has("json")) {
      throw new UsageError("exec prints what its command prints: no --json");
    }
    const terminal = switches.has("terminal");
    const { input, platform } = context;
    if (terminal && !input.isTerminal()) {
      throw new ShimError(
        "FailedPrecondition",
        "Flag --terminal needs a terminal as standard input; leave it out",
      );
    }
    const shim = await findShimOf(id, namespaceOf(invocation), context, signal);
    const command = { args, terminal, workdir: values.get("workdir") ?? "" };
    await using served = await platform.serveStdio(terminal);
    using _raw = terminal ? rawMode(input) : undefined;
    const { address } = shim;
    return { code: await execute(address, command, served, context, signal) };
  },
};
