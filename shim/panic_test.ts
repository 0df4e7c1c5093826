import { assert, assertEquals } from "@std/assert";
import { watchPanics } from "./panic.ts";

Deno.test("watchPanics() writes what nobody caught, with its stack, and ends the shim", () => {
  const source = new EventTarget();
  const written: string[] = [];
  let ends = 0;
  watchPanics(source, (text) => written.push(text), () => ends++);
  const rejection = new PromiseRejectionEvent("unhandledrejection", {
    promise: Promise.resolve(),
    reason: new Error("lost"),
    cancelable: true,
  });
  source.dispatchEvent(rejection);
  source.dispatchEvent(
    new ErrorEvent("error", { error: "thrown", cancelable: true }),
  );
  assert(rejection.defaultPrevented);
  assertEquals(ends, 2);
  assert(written[0]?.startsWith("panic: Error: lost\n    at "), written[0]);
  assertEquals(written[1], "panic: thrown\n");
});
