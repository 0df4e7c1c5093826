import { assertEquals } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { type Check, runChecks } from "./checks.ts";

const clock = new FakeClock();

function run(...checks: Check[]) {
  return Array.fromAsync(runChecks(checks, { clock, limit: 1000 }));
}

const check = { name: "disk", advice: "Buy one" };

Deno.test("runChecks() needs no advice for what is fine", async () => {
  assertEquals(await run({ ...check, look: () => ({ found: "8 GB" }) }), [
    { check: "disk", state: "ok", found: "8 GB", advice: "" },
  ]);
});

Deno.test("runChecks() gives the row's advice unless the verdict has its own", async () => {
  const state = "warning";
  const findings = await run(
    { ...check, look: () => ({ state, found: "small" }) },
    { ...check, look: () => ({ state, found: "slow", advice: "Wait" }) },
  );
  assertEquals(findings.map(({ advice }) => advice), ["Buy one", "Wait"]);
});

Deno.test("runChecks() goes on after a look that throws or rejects", async () => {
  const findings = await run(
    {
      ...check,
      look: () => {
        throw new Error("no bus");
      },
    },
    { ...check, failure: "warning", look: () => Promise.reject("no power") },
    { ...check, look: () => ({ found: "there" }) },
  );
  assertEquals(findings.map(({ state, found }) => [state, found]), [
    ["gap", "no bus"],
    ["warning", "no power"],
    ["ok", "there"],
  ]);
});

Deno.test("runChecks() goes on after a look that does not end", async () => {
  const pending = run(
    { ...check, look: () => new Promise(() => {}) },
    { ...check, look: () => ({ found: "there" }) },
  );
  await clock.advance(1000);
  const findings = await pending;
  assertEquals(findings.map(({ state }) => state), ["gap", "ok"]);
  assertEquals(findings[0]?.found, "it took longer than 1000 ms");
});
