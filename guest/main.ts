/**
 * The guest agent: runs in the VM and does what the host asks over the bridge.
 *
 * `deno run guest/main.ts -v4 -loglevel debug`; `LCOW_VSOCK_DIR` names the
 * folder of the host's sockets where VMs are simulated.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { messageOf } from "../base/errors.ts";
import { jsonLogger, type LogFields } from "../base/log.ts";
import { logSpans, SpanTracer } from "../base/spans.ts";
import { bridgePort } from "../bridge/places.ts";
import { descriptorDialer } from "./dial.ts";
import { parseFlags } from "./flags.ts";
import { LogGate, logWriter } from "./log_sink.ts";
import { hostDialer } from "./stand_in.ts";

/** Ends a simulated VM by ending the agent, a real one by switching it off. */
async function endVm(isSimulated: boolean): Promise<never> {
  if (!isSimulated) {
    const { powerOff } = await import("../ffi/linux/process.ts");
    powerOff();
  }
  Deno.exit(0);
}

/** @returns Only when the agent failed. */
async function main(): Promise<void> {
  const flags = parseFlags(Deno.args);
  const stream = flags.logFile === ""
    ? Deno.stderr
    : await Deno.open(flags.logFile, {
      create: true,
      truncate: true,
      write: true,
      mode: 0o600,
    });
  const writer = logWriter(stream);
  const { logLevel: level, scrubLogs: scrub } = flags;
  const gate = new LogGate(writer.sink, flags.policyStance === "allow");
  const tracer = new SpanTracer();
  const current = (): LogFields | undefined => tracer.fields();
  const log = jsonLogger(gate.sink, { level, scrub, current });
  if (level === "debug" || level === "trace") tracer.onEnd(logSpans(log));
  // The VM ends with the agent: one forgotten failure must not end all its
  // containers.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("A failure was not handled", { error: event.reason });
  });
  const directory = Deno.env.get("LCOW_VSOCK_DIR");
  const dial = hostDialer(Deno.env);
  // The host is reached while the agent is still being loaded.
  let early: Promise<Duplex> | undefined = dial(bridgePort);
  early.catch(() => {});
  const dialBridge = (): Promise<Duplex> => {
    const conn = early ?? dial(bridgePort);
    early = undefined;
    return conn;
  };
  try {
    const { runAgent } = await import("./agent.ts");
    const dialDescriptor = descriptorDialer(directory);
    const isSimulated = directory !== undefined;
    const setLogging = (isAllowed: boolean): void => {
      gate.isOpen = isAllowed;
    };
    await runAgent({
      ...{ flags, log, tracer, setLogging, isSimulated },
      ...{ dial, dialDescriptor, dialBridge },
    });
    await writer.close();
  } catch (error) {
    log.error("The guest agent failed", { error: messageOf(error) });
    await writer.close();
    Deno.exit(1);
  }
  await endVm(directory !== undefined);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    // The host reads this stream as JSON lines.
    const line = { level: "error", msg: messageOf(error) };
    console.error(JSON.stringify(line));
    Deno.exit(2);
  }
}
