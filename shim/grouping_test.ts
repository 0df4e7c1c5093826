import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { groupOf } from "./grouping.ts";
import { withBundle } from "./testing.ts";

function cri(type: string, sandbox: string): string {
  return JSON.stringify({
    annotations: {
      "io.kubernetes.cri.container-type": type,
      "io.kubernetes.cri.sandbox-id": sandbox,
    },
  });
}

Deno.test("groupOf() is the sandbox for a container of a pod", async () => {
  await withBundle({ "config.json": cri("container", "pod1") }, async (dir) => {
    assertEquals(await groupOf(dir, "web"), { key: "pod1", member: true });
  });
});

Deno.test("groupOf() is the task itself for a sandbox container", async () => {
  await withBundle({ "config.json": cri("sandbox", "pod1") }, async (dir) => {
    assertEquals(await groupOf(dir, "pod1"), { key: "pod1", member: false });
  });
});

Deno.test("groupOf() is the task itself without annotations or without config.json", async () => {
  const alone = { key: "web", member: false };
  await withBundle({ "config.json": "{}" }, async (dir) => {
    assertEquals(await groupOf(dir, "web"), alone);
  });
  await withBundle({}, async (dir) => {
    assertEquals(await groupOf(dir, "web"), alone);
  });
});

Deno.test("groupOf() refuses a config.json that is no JSON, and a sandbox id that is no name", async () => {
  await withBundle({ "config.json": "{" }, async (dir) => {
    await assertRejects(() => groupOf(dir, "web"), ShimError, "config.json");
  });
  const bad = cri("container", "../x");
  await withBundle({ "config.json": bad }, async (dir) => {
    await assertRejects(() => groupOf(dir, "web"), ShimError, "not a name");
  });
});
