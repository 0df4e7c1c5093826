/**
 * The commands of the documents, run as they are written.
 *
 * @module
 */

import { type Block, blocksOf, documents, read } from "../docs/markdown.ts";
import { imageName } from "../image.ts";
import { assertNothingLeft, daemon, useContainerd } from "./fixture.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Languages of blocks that are commands. */
const commands: readonly string[] = ["sh", "powershell"];

useContainerd();

/** Runs a block in a shell that stops at the first failure. */
async function run({ document, line, language, text }: Block): Promise<void> {
  const place = `${document}:${line}`;
  if (language !== "sh") {
    throw new Error(`${place}: ${language} cannot be run here: say why not`);
  }
  const { dir, env } = daemon();
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", text],
    cwd: root,
    env: {
      ...env,
      CONTAINERD_ADDRESS: `${dir}/containerd.sock`,
      IMAGE: imageName,
    },
    stdin: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  if (code === 0) return;
  const decoder = new TextDecoder();
  throw new Error(
    `${place} gave exit code ${code}:\n${decoder.decode(stdout)}${
      decoder.decode(stderr)
    }`,
  );
}

for (const document of await documents()) {
  const blocks = blocksOf(document, await read(document))
    .filter(({ language }) => commands.includes(language));
  const runnable = blocks.filter(({ notRun }) => notRun === undefined);
  for (const { line, notRun } of blocks) {
    if (notRun !== undefined) {
      console.log(`skip: ${document}:${line}: ${notRun}`);
    }
  }
  if (runnable.length === 0) continue;
  Deno.test(`the commands of ${document} work as they are written`, async () => {
    for (const block of runnable) await run(block);
    await assertNothingLeft();
  });
}
