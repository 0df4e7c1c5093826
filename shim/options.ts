/**
 * The runtime options, in whichever form containerd sends them: the typed
 * message, or (for every runtime type but Microsoft's own) the operator's table
 * as TOML text or as the path of a TOML file.
 *
 * @module
 */

import type { TomlTable, TomlValue } from "smol-toml";
import { messageOf, ShimError } from "../base/errors.ts";
import type { Any } from "../ttrpc/api/any.gen.ts";
import { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import { Options as PackedOptions } from "../ttrpc/api/runtime_options.gen.ts";
import { messageName } from "./bootstrap.ts";
import { readText } from "../base/read_file.ts";

/** What the options are when nobody gives any. */
export function noOptions(): Options {
  return Options.decode(new Uint8Array());
}

/**
 * Milliseconds for which output of a task waits for a reader that comes back
 * after a restart; 0 is for ever.
 */
export function reconnectLimit(
  { ioRetryTimeoutInSec }: Pick<Options, "ioRetryTimeoutInSec">,
): number {
  return Math.max(0, ioRetryTimeoutInSec) * 1000;
}

/** How a value of the table is read. */
type Kind = "text" | "boolean" | "integer" | "texts" | readonly string[];

/** Members by their lower-case name without underscores, as operators may spell them. */
const members: ReadonlyMap<string, readonly [keyof Options, Kind]> = new Map(
  ([
    ["debug", "boolean"],
    ["debugType", ["NPIPE", "FILE", "ETW"]],
    ["registryRoot", "text"],
    ["sandboxImage", "text"],
    ["sandboxPlatform", "text"],
    ["sandboxIsolation", ["PROCESS", "HYPERVISOR"]],
    ["bootFilesRootPath", "text"],
    ["vmProcessorCount", "integer"],
    ["vmMemorySizeInMb", "integer"],
    ["GPUVHDPath", "text"],
    ["scaleCpuLimitsToSandbox", "boolean"],
    ["defaultContainerScratchSizeInGb", "integer"],
    ["defaultVmScratchSizeInGb", "integer"],
    ["shareScratch", "boolean"],
    ["NCProxyAddr", "text"],
    ["logLevel", "text"],
    ["ioRetryTimeoutInSec", "integer"],
    ["defaultContainerAnnotations", "texts"],
    ["noInheritHostTimezone", "boolean"],
    ["scrubLogs", "boolean"],
  ] as const).map(([name, kind]) => [plain(name), [name, kind]]),
);

function plain(key: string): string {
  return key.replaceAll("_", "").toLowerCase();
}

/** Reads one value. @returns Undefined when it has the wrong type. */
function valueOf(kind: Kind, value: TomlValue): unknown {
  switch (kind) {
    case "text":
      return typeof value === "string" ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "integer":
      return typeof value === "number" && value === (value | 0)
        ? value
        : undefined;
    case "texts":
      return typeof value === "object" && !Array.isArray(value) &&
          !(value instanceof Date) &&
          Object.values(value).every((text) => typeof text === "string")
        ? { ...value }
        : undefined;
    default: {
      const number = typeof value === "string"
        ? kind.indexOf(value.toUpperCase())
        : value;
      return typeof number === "number" && number in kind ? number : undefined;
    }
  }
}

/** Options from the operator's table; keys that are not ours are left out. */
function fromTable(table: TomlTable): Options {
  const options: Options = noOptions();
  const set: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(table)) {
    const member = members.get(plain(key));
    if (member === undefined) continue;
    const [name, kind] = member;
    const read = valueOf(kind, value);
    if (read === undefined) {
      const expected = typeof kind === "string" ? kind : kind.join(" or ");
      throw new ShimError(
        "InvalidArgument",
        `"${key}" is not of type ${expected}`,
      );
    }
    set[name] = read;
  }
  return Object.assign(options, set);
}

/** Nesting of lists and tables beyond which a text is refused. */
const maxDepth = 32;

/** @throws {ShimError} InvalidArgument naming the line, in one line. */
async function parseTable(text: string): Promise<TomlTable> {
  // Most callers send the typed message, or nothing: they need no parser.
  const { parse, TomlError } = await import("smol-toml");
  try {
    return parse(text, { maxDepth });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // The excerpt that follows is for editors.
    const [reason] = cause.message.split("\n");
    throw new ShimError("InvalidArgument", `line ${cause.line}: ${reason}`, {
      cause,
    });
  }
}

async function readTable(packed: PackedOptions): Promise<string> {
  if (packed.configBody.length > 0 || packed.configPath === "") {
    return new TextDecoder("utf-8", { fatal: true }).decode(packed.configBody);
  }
  return await readText(packed.configPath);
}

/**
 * Unpacks runtime options.
 *
 * @param packed The packed message, if there is one.
 * @returns Undefined when there is none, or when it is of a foreign type.
 * @throws {ShimError} InvalidArgument when ours cannot be read.
 */
export async function unpackOptions(
  packed: Any | undefined,
): Promise<Options | undefined> {
  if (packed === undefined) return undefined;
  const name = messageName(packed.typeUrl);
  if (name === Options.typeName) return Options.decode(packed.value);
  if (name !== PackedOptions.typeName) return undefined;
  const table = PackedOptions.decode(packed.value);
  const source = table.configBody.length > 0 || table.configPath === ""
    ? "the options table"
    : table.configPath;
  try {
    return fromTable(await parseTable(await readTable(table)));
  } catch (cause) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot read the runtime options of ${source}: ${messageOf(cause)}`,
      { cause },
    );
  }
}
