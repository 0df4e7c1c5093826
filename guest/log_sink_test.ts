import { assertEquals } from "@std/assert";
import { LogGate } from "./log_sink.ts";

Deno.test("a gate lets lines through while it is open", () => {
  const lines: string[] = [];
  const gate = new LogGate((line) => void lines.push(line), false);
  const { sink } = gate;
  sink("dropped");
  gate.isOpen = true;
  sink("kept");
  gate.isOpen = false;
  sink("dropped");
  assertEquals(lines, ["kept"]);
});
