/**
 * The kernel command line of a utility VM, read as its kernel, its init and its
 * vsockexec read it.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** What init is told to do. */
export interface GuestStart {
  /** Port that gives entropy to init (`-e`). */
  readonly entropyPort: number | undefined;
  /** Port that gets the agent's standard error (vsockexec's `-e`). */
  readonly logPort: number | undefined;
  /** Arguments of the agent, without its own name. */
  readonly agentArguments: readonly string[];
}

/** The agent's place in the root file system of a utility VM. */
const agent = "/bin/gcs";

/** With a serial console the command stands in a shell that stays. */
const inConsole = /^sh -c"(.*)& exec sh"$/;

function invalid(problem: string): ShimError {
  return new ShimError("InvalidArgument", problem);
}

/** Takes words off the front of a command. */
class Words {
  readonly #words: string[];

  constructor(text: string) {
    this.#words = text.split(/\s+/).filter((word) => word !== "");
  }

  get first(): string | undefined {
    return this.#words[0];
  }

  get rest(): readonly string[] {
    return this.#words;
  }

  take(what: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw invalid(`${what} is missing`);
    return word;
  }

  takePort(option: string): number {
    const text = this.take(`the port of ${option}`);
    const port = Number(text);
    if (/^\d+$/.test(text) && port < 2 ** 32) return port;
    throw invalid(`${option} ${text} is no port`);
  }
}

/** Options of init: `[-d shell] [-e port] [-w]`, up to the first other word. */
function initOptions(words: Words): number | undefined {
  let entropyPort: number | undefined;
  while (words.first?.startsWith("-")) {
    const option = words.take("an option");
    if (option === "-e") entropyPort = words.takePort("init's -e");
    else if (option === "-d") words.take("init's shell");
    else if (option !== "-w") throw invalid(`init has no option ${option}`);
  }
  return entropyPort;
}

/** `/bin/vsockexec [-r] [-i p] [-o p] [-e p] [--]`; without it nothing is connected. */
function vsockexecOptions(words: Words): number | undefined {
  if (words.first !== "/bin/vsockexec") return undefined;
  words.take("vsockexec");
  let logPort: number | undefined;
  while (words.first?.startsWith("-")) {
    const option = words.take("an option");
    if (option === "--") break;
    if (option === "-e") logPort = words.takePort("vsockexec's -e");
    else if (option === "-i" || option === "-o") {
      words.takePort(`vsockexec's ${option}`);
    } else if (option !== "-r") {
      throw invalid(`vsockexec has no option ${option}`);
    }
  }
  return logPort;
}

/**
 * Reads what stands behind `--`. The relay mode of vsockexec (`-r`) differs only
 * across a migration, which this host does not do.
 *
 * @param commandLine The whole kernel command line.
 * @throws {ShimError} InvalidArgument when a real guest would not get as far as
 * its agent.
 */
export function parseKernelCommandLine(commandLine: string): GuestStart {
  const at = ` ${commandLine} `.indexOf(" -- ");
  if (at < 0) throw invalid('nothing stands behind "--" for init');
  const words = new Words(commandLine.slice(at + 2));
  const entropyPort = initOptions(words);
  const text = words.rest.join(" ");
  const command = new Words(inConsole.exec(text)?.[1] ?? text);
  const logPort = vsockexecOptions(command);
  const program = command.take("the program of init");
  if (program !== agent) throw invalid(`the guest has no program ${program}`);
  return { entropyPort, logPort, agentArguments: command.rest };
}
