/**
 * Generates the message types and codecs (`*.gen.ts`) from `schema/`.
 * With `--check` it writes nothing and fails when a file is stale.
 *
 * @module
 */

import { IndentationText, NewLineKind, Project } from "ts-morph";
import { format } from "./format.ts";
import { jsonSource } from "./json_output.ts";
import { protoSources } from "./proto_output.ts";
import { protobufModule, protobufSource } from "./protobuf_module.ts";
import { jsonTargets, protoTargets } from "./targets.ts";

/** The repository. */
const root = new URL("../", import.meta.url);

/**
 * Generates every file into memory.
 *
 * @returns Texts by paths relative to the repository.
 */
export function generate(): Map<string, string> {
  const project = new Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    manipulationSettings: {
      indentationText: IndentationText.TwoSpaces,
      newLineKind: NewLineKind.LineFeed,
    },
  });
  const texts = new Map<string, string>();
  for (const target of jsonTargets) {
    texts.set(target.output, jsonSource(project, root, target));
  }
  for (const [path, text] of protoSources(project, root, protoTargets)) {
    texts.set(path, text);
  }
  const formatted = format(texts);
  formatted.set(protobufModule, protobufSource(root));
  return formatted;
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(new URL(path, root));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Paths of the files whose text is not what the schemas say now. */
export function stale(texts: ReadonlyMap<string, string>): string[] {
  return [...texts].filter(([path, text]) => readIfThere(path) !== text)
    .map(([path]) => path);
}

function main(args: readonly string[]): number {
  const started = performance.now();
  const texts = generate();
  const changed = stale(texts);
  if (args.includes("--check")) {
    for (const path of changed) {
      console.error(`${path} is stale: run "deno task codegen"`);
    }
    return changed.length === 0 ? 0 : 1;
  }
  for (const path of changed) {
    const url = new URL(path, root);
    Deno.mkdirSync(new URL("./", url), { recursive: true });
    Deno.writeTextFileSync(url, texts.get(path) ?? "");
  }
  const ms = Math.round(performance.now() - started);
  console.log(`${texts.size} files, ${changed.length} written, ${ms} ms`);
  return 0;
}

if (import.meta.main) Deno.exit(main(Deno.args));
