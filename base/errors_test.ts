import { assertEquals } from "@std/assert";
import { classify, messageOf, ShimError } from "./errors.ts";

Deno.test("classify() finds the class of the error itself before its cause", () => {
  const inner = new ShimError("NotFound", "inner");
  const outer = new ShimError("Internal", "outer", { cause: inner });
  assertEquals(classify(outer), "Internal");
});

Deno.test("classify() finds the class behind plain wrappers", () => {
  const inner = new ShimError("AlreadyExists", "taken");
  assertEquals(classify(new Error("a", { cause: inner })), "AlreadyExists");
  assertEquals(
    classify(new AggregateError([new Error("x"), inner])),
    "AlreadyExists",
  );
});

Deno.test("classify() takes the original of a suppressed error first", () => {
  const first = new ShimError("NotFound", "first");
  const later = new ShimError("Internal", "while disposing");
  const error = new SuppressedError(later, first);
  assertEquals(classify(error), "NotFound");
  assertEquals(messageOf(error), "first");
});

Deno.test("classify() knows the platform's errors and aborts", () => {
  assertEquals(classify(new Deno.errors.NotFound()), "NotFound");
  assertEquals(classify(AbortSignal.abort().reason), "Canceled");
  assertEquals(
    classify(new DOMException("late", "TimeoutError")),
    "DeadlineExceeded",
  );
});

Deno.test("classify() answers Unknown for anything else, also for rings of causes", () => {
  const ring = new Error("ring");
  ring.cause = ring;
  assertEquals(classify(ring), "Unknown");
  assertEquals(classify("text"), "Unknown");
});

Deno.test("messageOf() is never empty", () => {
  assertEquals(messageOf(new TypeError("")), "TypeError");
  assertEquals(messageOf("text"), "text");
});
