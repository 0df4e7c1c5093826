/**
 * Runs under Wine: serves two endpoints, and prints as one line of JSON which ones
 * the platform lists while both, one and none of them are there.
 *
 * @module
 */

import { windowsParts, windowsPlatform } from "../../ffi/windows/platform.ts";

const platform = windowsPlatform(windowsParts());
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
