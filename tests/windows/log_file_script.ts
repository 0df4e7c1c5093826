/**
 * Runs under Wine: two streams of a task write to one log file.
 *
 * Usage: `log_file_script.ts FILE_URL`
 *
 * @module
 */

import { logFilePath, openLogFile } from "../../base/log_file.ts";

const [url = ""] = Deno.args;
const path = logFilePath(url, "stdout", "windows");
if (path === undefined) throw new Error(`${url} names no file`);

const stdout = await openLogFile(path);
const stderr = await openLogFile(path);
const encoder = new TextEncoder();
await stdout.write(encoder.encode("one\n"));
await stderr.write(encoder.encode("two\n"));
await stdout.write(encoder.encode("three\n"));
await Promise.all([stdout.close(), stderr.close()]);
console.log(JSON.stringify({ path }));
Deno.exit(0);
