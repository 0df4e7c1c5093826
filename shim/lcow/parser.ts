/**
 * The command line behind `lcow`, and its help: both are made of the words'
 * declarations. Pure.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { commonFlags, type Flag, type Invocation, type Word } from "./word.ts";

/** What the help calls the program. */
const program = "containerd-shim-lcow-v2 lcow";

/** A command line that cannot be understood: exit code 2. */
export class UsageError extends ShimError {
  /** @param message What is wrong; one line. */
  constructor(message: string) {
    super("InvalidArgument", message);
  }
}

/** What a command line asks for. */
export type Parsed = Invocation | { readonly help: string };

function usage(message: string, word?: Word): UsageError {
  const help = word === undefined ? "lcow --help" : `lcow ${word.name} --help`;
  return new UsageError(`${message}; see \`${help}\``);
}

/** A text of the command line, quoted, on one line. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** The arguments of one word, as they are read. */
class Reader {
  readonly operands: string[] = [];
  readonly switches = new Set<string>();
  readonly values = new Map<string, string>();
  readonly #word: Word;
  readonly #args: readonly string[];
  #next = 0;

  constructor(word: Word, args: readonly string[]) {
    this.#word = word;
    this.#args = args;
  }

  read(): void {
    while (this.#next < this.#args.length) {
      const argument = this.#args[this.#next]!;
      if (argument === "--") return this.#takeOperands(this.#next + 1);
      if (
        this.#word.operands[this.operands.length]?.rest && !isFlag(argument)
      ) {
        return this.#takeOperands(this.#next);
      }
      this.#next++;
      if (isFlag(argument)) this.#takeFlag(argument);
      else this.operands.push(argument);
    }
  }

  /** From here on nothing is a flag. */
  #takeOperands(from: number): void {
    this.operands.push(...this.#args.slice(from));
    this.#next = this.#args.length;
  }

  #takeFlag(argument: string): void {
    const [, dashes = "", name = "", value] =
      /^(--?)([^=]*)(?:=([\s\S]*))?$/.exec(argument) ?? [];
    const flag = [...this.#word.flags, ...commonFlags].find((flag) =>
      dashes === "-" ? flag.short === name : flag.name === name
    );
    if (flag === undefined) {
      throw usage(
        `${this.#word.name} has no flag ${quoted(argument)}`,
        this.#word,
      );
    }
    if (flag.value === undefined) {
      if (value !== undefined) {
        throw usage(`Flag --${flag.name} takes no value`, this.#word);
      }
      this.switches.add(flag.name);
    } else {
      this.values.set(flag.name, value ?? this.#valueOf(flag));
    }
  }

  #valueOf({ name, value = "" }: Flag): string {
    const text = this.#args[this.#next++];
    if (text !== undefined) return text;
    throw usage(`Flag --${name} needs a value ${value}`, this.#word);
  }
}

/** True for a flag; a lone dash is an operand. */
function isFlag(argument: string): boolean {
  return argument.startsWith("-") && argument !== "-";
}

/** @throws {UsageError} When operands are missing, too many or empty. */
function checkOperands(word: Word, given: readonly string[]): void {
  const { operands, name } = word;
  const missing = operands[given.length];
  if (missing !== undefined && missing.optional === undefined) {
    throw usage(`${name} needs ${missing.name}: ${missing.summary}`, word);
  }
  const takesRest = operands.at(-1)?.rest !== undefined;
  if (!takesRest && given.length > operands.length) {
    const extra = quoted(given[operands.length]!);
    throw usage(`Unexpected argument ${extra} after ${name}`, word);
  }
  const empty = operands.findIndex((_, index) => given[index] === "");
  if (empty >= 0) {
    throw usage(`${operands[empty]!.name} cannot be empty`, word);
  }
}

/** @throws {UsageError} When a flag's value is empty. */
function checkValues(word: Word, values: ReadonlyMap<string, string>): void {
  for (const [name, value] of values) {
    if (value === "") throw usage(`Flag --${name} cannot be empty`, word);
  }
}

/**
 * Whether JSON is asked for, even by a command line that is wrong otherwise: the
 * error is to be JSON, too.
 */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).includes("--json");
}

/**
 * Reads what stands behind `lcow`: a word, then its flags (`--x value`,
 * `--x=value`, `-n value`) and operands in any order. Behind `--`, and from the
 * operand that takes the rest on, nothing is a flag.
 *
 * @param args The arguments behind `lcow`.
 * @param words The words that there are.
 * @returns What is to be done, or the help that was asked for.
 * @throws {UsageError} What is wrong, and where the help is.
 */
export function parse(
  args: readonly string[],
  words: readonly Word[],
): Parsed {
  const [first, ...rest] = args;
  if (first === "--help" || first === "-h") return { help: helpOf(words) };
  const names = words.map(({ name }) => name).join(", ");
  if (first === undefined) throw usage(`lcow needs a word: ${names}`);
  const word = words.find(({ name }) => name === first);
  if (word === undefined) {
    throw usage(`lcow has no word ${quoted(first)}, but ${names}`);
  }
  const reader = new Reader(word, rest);
  reader.read();
  const { operands, switches, values } = reader;
  if (switches.has("help")) return { help: helpOfWord(word) };
  checkOperands(word, operands);
  checkValues(word, values);
  return { word, operands, switches, values };
}

/** The help of `lcow`. */
function helpOf(words: readonly Word[]): string {
  const rows = words.map(({ name, summary }) => [`  ${name}`, summary]);
  return `Usage: ${program} WORD [ARGUMENTS]\n\n` +
    `Words:\n${formatColumns(rows)}\n` +
    `Flags of all words:\n${flagRows(commonFlags)}\n` +
    `\`${program} WORD --help\` says more about one.\n`;
}

/** The help of one word. */
function helpOfWord(word: Word): string {
  const { name, summary, operands, flags } = word;
  const shown = operands.map(({ name, optional, rest }) => {
    const text = rest === undefined ? name : `${name}...`;
    return optional === undefined ? text : `[${text}]`;
  });
  const usage = [`Usage: ${program} ${name}`, ...shown, "[FLAGS]"].join(" ");
  const about = operands.length === 0
    ? ""
    : `\nArguments:\n${
      formatColumns(operands.map(({ name, summary }) => [`  ${name}`, summary]))
    }`;
  return `${usage}\n\n${name}: ${summary}.\n${about}\n` +
    `Flags:\n${flagRows([...flags, ...commonFlags])}`;
}

function flagRows(flags: readonly Flag[]): string {
  return formatColumns(flags.map(({ name, short, value, summary }) => {
    const letter = short === undefined ? "    " : `-${short}, `;
    return [`  ${letter}--${name}${value ? ` ${value}` : ""}`, summary];
  }));
}

/** Two columns whose indentation is kept. */
function formatColumns(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([left = ""]) => left.length));
  return rows.map(([left = "", right = ""]) =>
    `${left.padEnd(width)}  ${right}\n`
  ).join("");
}
