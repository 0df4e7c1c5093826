import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { Gate } from "./gate.ts";
import { Journal } from "./journal.ts";
import { classOfText, expect, judge, VmLost, WrongOutcome } from "./judge.ts";
import { Random } from "./random.ts";

const web = { name: "web", isLost: false };

const refuse = () => Promise.reject(new ShimError("NotFound", "gone"));

Deno.test("an outcome that the model does not allow fails, also success", async () => {
  const journal = new Journal();
  await assertRejects(
    () => judge(journal, web, "Kill", ["ok", "Unavailable"], refuse),
    WrongOutcome,
    'web: "Kill" came to NotFound (gone); the model allows ok, Unavailable',
  );
  await assertRejects(
    () => judge(journal, web, "Kill", ["NotFound"], () => Promise.resolve(1)),
    WrongOutcome,
    "it succeeded",
  );
  assertEquals(journal.operations, new Map([["Kill", 2]]));
});

Deno.test("an allowed outcome is given back, and a lost machine ends the life", async () => {
  const journal = new Journal();
  assertEquals(
    await judge(journal, web, "Kill", ["NotFound"], refuse),
    { code: "NotFound" },
  );
  const lost = { name: "web", isLost: true };
  await assertRejects(
    () => judge(journal, lost, "Kill", ["ok"], refuse),
    VmLost,
  );
  await assertRejects(
    () =>
      judge(
        journal,
        lost,
        "Kill",
        ["ok"],
        () => Promise.reject(new ShimError("Internal", "what")),
      ),
    WrongOutcome,
  );
});

Deno.test("what is otherwise than expected fails unless the machine is lost", () => {
  expect(web, "the exit code", 3, 3);
  assertThrows(() => expect(web, "the exit code", 4, 3), WrongOutcome);
  expect({ ...web, isLost: true }, "the exit code", 4, 3);
});

Deno.test("the words of ctr give a class", () => {
  assertEquals(classOfText("ctr: task c1: not found"), "NotFound");
  assertEquals(
    classOfText("ctr: error reading from server: EOF: unavailable"),
    "Unavailable",
  );
  assertEquals(classOfText("ctr: no metrics received"), "Unavailable");
  assertEquals(classOfText("ctr: bridge closed: unavailable"), "Unavailable");
  assertEquals(classOfText("ctr: what"), "Unknown");
});

Deno.test("who goes alone waits for the others, and they for who is alone", async () => {
  const gate = new Gate();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const among = gate.among(async () => {
    await first.promise;
    order.push("among");
  });
  const alone = gate.alone(() => Promise.resolve(void order.push("alone")));
  const later = gate.among(() => Promise.resolve(void order.push("later")));
  assert(gate.isClosed);
  first.resolve();
  await Promise.all([among, alone, later]);
  assertEquals(order, ["among", "alone", "later"]);
});

Deno.test("the same seed gives the same choices", () => {
  const choices = (seed: number): number[] => {
    const random = new Random(seed);
    return [random.between(1, 1e6), random.fork().between(1, 1e6)];
  };
  assertEquals(choices(7), choices(7));
  assert(choices(7)[0] !== choices(8)[0]);
  const list = [{ weight: 0, name: "a" }, { weight: 1, name: "b" }];
  assertEquals(new Random(1).weighted(list).name, "b");
});
