import { assertEquals, assertRejects } from "@std/assert";
import { HResultError } from "../../../base/hresult.ts";
import { HandleUse } from "./handle_use.ts";

Deno.test("a handle is drained when its last call has returned, whatever that did", async () => {
  const use = new HandleUse();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const calls = [
    use.run("a", () => first.promise),
    assertRejects(() => use.run("b", () => second.promise), Error, "crashed"),
  ];
  use.refuse();
  let drained = false;
  const draining = use.drained().then(() => drained = true);
  first.resolve();
  await calls[0];
  assertEquals([drained, use.busy], [false, true]);
  second.reject(new Error("crashed"));
  await Promise.all([...calls, draining]);
  assertEquals([drained, use.busy], [true, false]);
  await use.drained();
});

Deno.test("a refusing handle runs nothing", async () => {
  const use = new HandleUse();
  assertEquals(await use.run("a", () => Promise.resolve(7)), 7);
  use.refuse();
  let ran = false;
  await assertRejects(
    () =>
      use.run("hcs::System::Modify pod1@vm", () => Promise.resolve(ran = true)),
    HResultError,
    "hcs::System::Modify pod1@vm: the handle has already been closed",
  );
  assertEquals([ran, use.refusing], [false, true]);
});
