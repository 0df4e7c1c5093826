import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Ledger } from "./ledger.ts";
import { jsonLogger } from "./log.ts";

function recorder(): {
  ledger: Ledger<"mount" | "disk">;
  released: string[];
  lines: string[];
  add: (kind: "mount" | "disk", key: string, failures?: number) => void;
} {
  const released: string[] = [];
  const lines: string[] = [];
  const ledger = new Ledger<"mount" | "disk">(
    ["mount", "disk"],
    jsonLogger((line) => lines.push(line)),
  );
  const add = (kind: "mount" | "disk", key: string, failures = 0): void => {
    ledger.add({
      kind,
      key,
      release: () => {
        if (failures-- > 0) return Promise.reject(new Error(`busy ${key}`));
        released.push(key);
        return Promise.resolve();
      },
    });
  };
  return { ledger, released, lines, add };
}

Deno.test("release() goes by kind, then by the order of acquisition", async () => {
  const { ledger, released, add } = recorder();
  add("disk", "d1");
  add("mount", "m1");
  add("disk", "d2");
  add("mount", "m2");
  await ledger.release();
  assertEquals(released, ["m1", "m2", "d1", "d2"]);
});

Deno.test("release() stops at the first failure, keeps what is left and can be called again", async () => {
  const { ledger, released, add } = recorder();
  add("mount", "m1");
  add("mount", "m2", 1);
  add("disk", "d1");
  await assertRejects(() => ledger.release(), Error, "busy m2");
  assertEquals(released, ["m1"]);
  assertEquals(ledger.entries.map(({ key }) => key), ["m2", "d1"]);
  await ledger.release();
  assertEquals(released, ["m1", "m2", "d1"]);
});

Deno.test("release() called twice at once releases everything once", async () => {
  const { ledger, released, add } = recorder();
  add("mount", "m1");
  await Promise.all([ledger.release(), ledger.release()]);
  assertEquals(released, ["m1"]);
});

Deno.test("releaseLogged() reports what stays and throws nothing", async () => {
  const { ledger, lines, add } = recorder();
  add("mount", "m1", 1);
  await ledger.releaseLogged();
  assert(lines[0]?.includes("busy m1") && lines[0].includes("mount m1"));
  assert(ledger.has("mount", "m1"));
});

Deno.test("add() refuses a kind without a place in the order", () => {
  const ledger = new Ledger<string>(["mount"]);
  assertThrows(
    () =>
      ledger.add({ kind: "disk", key: "d", release: () => Promise.resolve() }),
    TypeError,
    "disk",
  );
});
