import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "./flags.ts";

Deno.test("parseFlags() reads the command line that hosts build", () => {
  const flags = parseFlags(
    "-v4 -log-format json -loglevel warning -disable-time-sync -scrub-logs=false"
      .split(" "),
  );
  assertEquals(flags.v4, true);
  assertEquals(flags.logLevel, "warn");
  assertEquals(flags.scrubLogs, false);
});

Deno.test("parseFlags() has the defaults of the specification", () => {
  assertEquals(parseFlags([]), {
    logLevel: "debug",
    logFile: "",
    scrubLogs: true,
    v4: false,
    rootMemoryReserve: 78643200n,
    agentMemoryThreshold: 52428800n,
    coreDumpLocation: "",
    kernelLogLevel: 4,
    timeSync: true,
    policyStance: "allow",
  });
  const { policyStance } = parseFlags(["-initial-policy-stance", "deny"]);
  assertEquals(policyStance, "deny");
});

Deno.test("parseFlags() refuses what it does not know or support", () => {
  const rows: [string[], string][] = [
    [["-nope"], '"-nope"'],
    [["-constructor", "x"], '"-constructor"'],
    [["word"], '"word"'],
    [["-loglevel", "loud"], '"loud"'],
    [["-logfile"], "needs a value"],
    [["-v4=maybe"], '"maybe"'],
    [["-use-inouterr"], "-use-inouterr"],
    [["-kmsgLogLevel", "loud"], '"loud"'],
    [["-initial-policy-stance=Deny"], '"Deny"'],
    [["-root-mem-reserve-bytes", "much"], '"much"'],
    [["-gcs-mem-limit-bytes=-1"], '"-1"'],
  ];
  for (const [args, message] of rows) {
    assertThrows(() => parseFlags(args), Error, message);
  }
});
