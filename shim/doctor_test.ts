import { assertEquals } from "@std/assert";
import type { Finding } from "../hcs/ports.ts";
import { formatFindings } from "./doctor.ts";

const fine: Finding = {
  check: "Windows build",
  state: "ok",
  found: "26100",
  advice: "",
};

const gap: Finding = {
  check: "boot files",
  state: "gap",
  found: "no kernel\n  in C:\\boot",
  advice: "Copy one",
};

Deno.test("formatFindings() aligns the columns and puts advice below", () => {
  assertEquals(
    formatFindings([fine, gap]).text,
    "CHECK          STATE  FOUND\n" +
      "Windows build  ok     26100\n" +
      "boot files     gap    no kernel in C:\\boot\n" +
      "                      Copy one\n" +
      "\n" +
      "gaps: 1, warnings: 0\n",
  );
});

Deno.test("formatFindings() answers exit code 1 for a gap only", () => {
  const warning: Finding = { ...gap, state: "warning" };
  assertEquals(formatFindings([fine, warning]).code, 0);
  assertEquals(formatFindings([fine, warning, gap]).code, 1);
  assertEquals(formatFindings([]).code, 0);
});
