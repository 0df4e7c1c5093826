/**
 * Times the Windows side under Wine: pipes and Hyper-V sockets on the completion
 * port, beside one blocked thread per stream, and calls of the compute service.
 *
 * Usage: `tests/bench/windows.ts [--json FILE] [--runs N]`
 *
 * @module
 */

import { HyperVRegistry } from "../../sim/wine/hyperv_registry.ts";
import { forward } from "../windows/forwarder.ts";
import { MemoryHost, memoryRuntimeId } from "../windows/memory_host.ts";
import { runWindowsDeno, setUp, stopWine } from "../windows/setup.ts";

const script = new URL("../windows/bench_script.ts", import.meta.url).pathname;

/** Milliseconds for one run of the script. */
const limit = 300_000;

async function runOnce(): Promise<Record<string, number>> {
  await using forwarder = forward(new MemoryHost());
  await using registry = new HyperVRegistry();
  const env = {
    LCOW_FORWARDER_PORT: String(forwarder.port),
    LCOW_HVSOCKET_PORT: String(registry.port),
  };
  const args = [memoryRuntimeId];
  return JSON.parse(await runWindowsDeno(script, args, env, limit));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(name);
  return at < 0 ? undefined : Deno.args[at + 1];
}

if (import.meta.main) {
  const runs = Number(option("--runs") ?? 5);
  await setUp();
  try {
    await runOnce(); // The first one fills caches.
    const samples: Record<string, number>[] = [];
    for (let i = 0; i < runs; i++) samples.push(await runOnce());
    const medians: Record<string, number> = {};
    for (const name of Object.keys(samples[0] ?? {})) {
      medians[name] = median(samples.map((sample) => sample[name] ?? NaN));
    }
    for (const [name, value] of Object.entries(medians)) {
      const alternative = medians[name.replace(/port$/, "threads")];
      const ratio = name.endsWith("port") && alternative !== undefined
        ? `  ratio to threads ${(value / alternative).toFixed(2)}`
        : "";
      console.log(`${name.padEnd(44)} ${value.toFixed(1).padStart(9)}${ratio}`);
    }
    const file = option("--json");
    if (file !== undefined) {
      const report = { runs, deno: Deno.version.deno, medians };
      await Deno.writeTextFile(file, `${JSON.stringify(report, null, 2)}\n`);
    }
  } finally {
    await stopWine();
  }
}
