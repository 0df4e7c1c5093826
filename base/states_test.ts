import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "./errors.ts";
import { defineStates } from "./states.ts";

const door = defineStates("door", "Closed", [
  ["Closed", "open", "Open"],
  ["Open", "close", "Closed"],
]);

Deno.test("State moves along its rows", () => {
  const state = door.begin('door "a"');
  assert(state.is("Closed") && state.can("open"));
  state.to("open");
  assertEquals(state.current, "Open");
});

Deno.test("State refuses an event that has no row, in one sentence, and stays", () => {
  const state = door.begin('door "a"');
  const error = assertThrows(() => state.to("close"), ShimError);
  assertEquals(error.code, "FailedPrecondition");
  assertEquals(error.message, 'Cannot close door "a": it is Closed');
  assertThrows(() => state.require("close"), ShimError);
  assertEquals(state.current, "Closed");
});

Deno.test("defineStates() refuses a table with two rows for one state and event", () => {
  assertThrows(
    () => defineStates("x", "A", [["A", "go", "B"], ["A", "go", "A"]]),
    TypeError,
    "twice",
  );
});
