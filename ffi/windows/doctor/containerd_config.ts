/**
 * What containerd's configuration says about our runtime.
 *
 * @module
 */

import { parse, TomlError } from "smol-toml";
import { ShimError } from "../../../base/errors.ts";

/** The type that makes containerd look for `containerd-shim-lcow-v2.exe`. */
export const runtimeType = "io.containerd.lcow.v2";

/** The plugin that has the runtimes, by the version of the configuration. */
const runtimePlugins: ReadonlyMap<number, string> = new Map([
  [2, "io.containerd.grpc.v1.cri"],
  [3, "io.containerd.cri.v1.runtime"],
]);

/** A runtime of our type. */
export interface ConfiguredRuntime {
  /** Its name, which a RuntimeClass has as its handler. */
  readonly name: string;
  /** Where its layers come from; empty for the default. */
  readonly snapshotter: string;
  /** Path of the executable; empty when containerd looks for it. */
  readonly path: string;
  /** The boot directory of its options; undefined for the default. */
  readonly bootDirectory: string | undefined;
}

/** A configuration. */
export interface ContainerdConfig {
  /** The runtimes of our type. */
  readonly runtimes: readonly ConfiguredRuntime[];
  /** True when it includes files that are not looked at. */
  readonly hasImports: boolean;
}

/** Nesting of lists and tables beyond which a text is refused. */
const maxDepth = 32;

/** A table of TOML; its members may have any type. */
type Table = Readonly<Record<string, unknown>>;

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tableOf(value: unknown): Table {
  return isTable(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** An option, whose key operators spell with or without underscores. */
function option(options: Table, name: string): string | undefined {
  const key = Object.keys(options).find((key) =>
    key.replaceAll("_", "").toLowerCase() === name
  );
  return key === undefined ? undefined : textOf(options[key]) || undefined;
}

function parseToml(text: string): Table {
  try {
    return parse(text, { maxDepth });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // The excerpt that follows is for editors.
    const [reason] = cause.message.split("\n");
    const message = `line ${cause.line}: ${reason}`;
    throw new ShimError("InvalidArgument", message, { cause });
  }
}

/**
 * Reads a configuration of version 2 (containerd 1.x) or 3 (2.x).
 *
 * @param text The file's text.
 * @throws {ShimError} InvalidArgument when it is no TOML, or of another version.
 */
export function parseContainerdConfig(text: string): ContainerdConfig {
  const config = parseToml(text);
  const version = typeof config.version === "number" ? config.version : 1;
  const plugin = runtimePlugins.get(version);
  if (plugin === undefined) {
    throw new ShimError(
      "InvalidArgument",
      `it has version ${version}, not 2 or 3`,
    );
  }
  const { containerd } = tableOf(tableOf(config.plugins)[plugin]);
  const { runtimes } = tableOf(containerd);
  return {
    runtimes: Object.entries(tableOf(runtimes))
      .map(([name, value]) => ({ name, table: tableOf(value) }))
      .filter(({ table }) => table.runtime_type === runtimeType)
      .map(({ name, table }) => ({
        name,
        snapshotter: textOf(table.snapshotter),
        path: textOf(table.runtime_path),
        bootDirectory: option(tableOf(table.options), "bootfilesrootpath"),
      })),
    hasImports: Array.isArray(config.imports) && config.imports.length > 0,
  };
}
