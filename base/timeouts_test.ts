import { assertEquals } from "@std/assert";
import { defaultTimeouts, operatorTimeouts, timeoutsWith } from "./timeouts.ts";

const from = (set: Readonly<Record<string, string>>) =>
  operatorTimeouts((name) => set[name]);

Deno.test("without variables the bounds are the defaults", () => {
  assertEquals(from({}), defaultTimeouts);
});

Deno.test("a variable of hcsshim sets its bound, in seconds", () => {
  assertEquals(
    from({
      HCSSHIM_TIMEOUT_SYSTEMCREATE: "10",
      HCSSHIM_TIMEOUT_GCSCONNECTION: "300",
    }),
    timeoutsWith({ systemCreate: 10_000, vmStart: 300_000 }),
  );
});

Deno.test("a longer start of the compute system lengthens the start of the VM", () => {
  const { systemStart, vmStart } = from({ HCSSHIM_TIMEOUT_SYSTEMSTART: "600" });
  assertEquals([systemStart, vmStart], [600_000, 720_000]);
});

for (const text of ["", "0", "-1", "1.5", "4 s", "1e3", "99999999999"]) {
  Deno.test(`"${text}" is no number of seconds and is ignored`, () => {
    assertEquals(
      from({ HCSSHIM_TIMEOUT_SYSTEMCREATE: text }),
      defaultTimeouts,
    );
  });
}
