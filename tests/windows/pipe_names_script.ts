/**
 * Runs under Wine: prints as one line of JSON the names in a folder, or, without
 * one, which of two endpoints the platform lists while both, one and none of them
 * are served.
 *
 * Usage: `pipe_names_script.ts [FOLDER]`
 *
 * @module
 */

import { pipeNames } from "../../ffi/windows/io/pipe_names.ts";
import { windowsParts, windowsPlatform } from "../../ffi/windows/platform.ts";

const parts = windowsParts();
const [folder] = Deno.args;
if (folder !== undefined) {
  const { kernel32 } = parts.io.libraries;
  console.log(JSON.stringify(pipeNames(kernel32, `${folder}\\`)));
  Deno.exit(0);
}
const platform = windowsPlatform(parts);
const groups = [["k8s.io", "pod1"], ["default", "web-1"]] as const;
const addresses = await Promise.all(
  groups.map(([namespace, key]) => platform.endpoint(namespace, key)),
);
const [first, second] = await Promise.all(
  addresses.map((address) => platform.listen(address)),
);
const seen = [await platform.endpoints()];
await first!.close();
seen.push(await platform.endpoints());
await second!.close();
seen.push(await platform.endpoints());
console.log(JSON.stringify({ addresses, seen }));
Deno.exit(0);
