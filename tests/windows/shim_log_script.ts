/**
 * Runs under Wine: makes the folder of the log files, twice, writes a log with
 * rotations while it is followed, and prints as one line of JSON what was read.
 *
 * Usage: `shim_log_script.ts PROGRAM_DATA`
 *
 * @module
 */

import { systemIoLibraries } from "../../ffi/windows/io/windows_io.ts";
import { openLogFolder } from "../../ffi/windows/system/private_folder.ts";
import { readLog, type ReadOptions } from "../../shim/log/reader.ts";
import { LogWriter } from "../../shim/log/writer.ts";

const [programData = ""] = Deno.args;
const libraries = systemIoLibraries();
const folder = openLogFolder(libraries, programData);
if (openLogFolder(libraries, programData) !== folder) {
  throw new Error("Another folder the second time");
}
const name = { namespace: "k8s.io", id: "Pod:1" };
const writer = await LogWriter.open({
  folder,
  name,
  limit: 100,
  onFailure: (error) => {
    throw error;
  },
});
async function* lineByLine(options: ReadOptions): AsyncGenerator<string> {
  for await (const lines of readLog(folder, name, options)) yield* lines;
}
const lines = lineByLine({ follow: true });
const read: unknown[] = [];
for (let line = 0; line < 10; line++) {
  writer.sink(`${line} ${"x".repeat(40)}\n`);
  const { value = "" } = await lines.next();
  read.push(value.split(" ")[0]);
}
await lines.return(undefined);
const again = await Array.fromAsync(lineByLine({}));
console.log(JSON.stringify({
  folder,
  read,
  again: again.map((line) => line.split(" ")[0]),
}));
Deno.exit(0);
