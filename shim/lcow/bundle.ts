/**
 * `lcow bundle`: one file with what is known about a sandbox, to be sent to who
 * looks for a fault. Environments and annotations are left out.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { oneLine } from "../table.ts";
import { fileNamePart } from "../log/names.ts";
import { tarArchive, type TarFile } from "../tar.ts";
import { shimVersion } from "../version.ts";
import {
  collect,
  type Collected,
  type Missing,
  partsOf,
} from "./bundle_parts.ts";
import { findSubject } from "./bundle_subject.ts";
import { type LcowContext, namespaceOf, type Word } from "./word.ts";

/** The folder that all files of the archive are in. */
const top = "lcow-bundle";

/** Says to who opens a bundle what is not in it. */
const scrubbed =
  "Environments and annotations are replaced by <scrubbed>, in all files. " +
  "Command lines, names, paths and what programs logged are as they were.";

function isMissing(part: Collected | Missing): part is Missing {
  return "why" in part;
}

/** The table of contents, and what could not be had. */
function manifestOf(
  id: string,
  parts: readonly (Collected | Missing)[],
  { platform, clock }: LcowContext,
): object {
  const { os, arch, build } = platform;
  return {
    about: id,
    created: new Date(clock.now()).toISOString(),
    version: shimVersion,
    host: { os, arch, build },
    scrubbed,
    files: parts.filter((part) => "content" in part)
      .map(({ content, ...about }) => ({ ...about, bytes: content.length })),
    missing: parts.filter(isMissing),
  };
}

/** A name that says what it is, of characters that every system takes. */
function defaultFile(id: string, now: number): string {
  const at = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `lcow-bundle-${fileNamePart(id)}-${at}.tar.gz`;
}

/** @throws {ShimError} AlreadyExists; FailedPrecondition when it cannot be written. */
async function writeArchive(
  path: string,
  files: readonly TarFile[],
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const refusal = (cause: unknown): ShimError =>
    cause instanceof Deno.errors.AlreadyExists
      ? new ShimError(
        "AlreadyExists",
        `There is a file "${path}": remove it, or name another`,
        { cause },
      )
      : new ShimError(
        "FailedPrecondition",
        `Cannot write "${path}": ${messageOf(cause)}`,
        { cause },
      );
  let file: Deno.FsFile;
  try {
    // For its owner: much of it is not meant for everybody.
    file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (error) {
    throw refusal(error);
  }
  try {
    await ReadableStream.from(tarArchive(files, now))
      .pipeThrough(new CompressionStream("gzip"))
      .pipeTo(file.writable, { signal });
  } catch (error) {
    await Deno.remove(path);
    signal.throwIfAborted();
    throw refusal(error);
  }
}

function textOf(path: string, missing: readonly Missing[]): string {
  const lines = missing.map(({ name, source, why }) =>
    `missing: ${source ?? name}: ${oneLine(why)}\n`
  );
  return `${path}\n${lines.join("")}`;
}

/** See the module. */
export const bundle: Word = {
  name: "bundle",
  summary: "put all that is known about a sandbox into one file, without its " +
    "secrets",
  operands: [
    {
      name: "ID",
      summary: "a sandbox, pod or container, also one that is gone",
    },
    {
      name: "FILE",
      summary: "the archive (.tar.gz); by default one in this folder",
      optional: true,
    },
  ],
  flags: [],
  async run(invocation, context, signal) {
    const { clock } = context;
    const [id = "", file = defaultFile(id, clock.now())] = invocation.operands;
    const namespace = namespaceOf(invocation);
    const subject = await findSubject(id, namespace, context, signal);
    const parts = await Promise.all(
      (await partsOf(subject, context)).map((part) =>
        collect(part, context, signal)
      ),
    );
    const manifest = manifestOf(id, parts, context);
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    const content = new TextEncoder().encode(text);
    const files = [{ name: "manifest.json", content }, ...parts]
      .filter((part) => "content" in part)
      .map(({ name, content }) => ({ name: `${top}/${name}`, content }));
    await writeArchive(file, files, clock.now(), signal);
    const missing = parts.filter(isMissing);
    return { json: { file, ...manifest }, text: textOf(file, missing) };
  },
};
