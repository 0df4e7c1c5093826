import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { Metrics, type MetricTable } from "../../base/metrics.ts";
import {
  formatExposition,
  mergeExpositions,
  parseExposition,
} from "./exposition.ts";

const table = {
  seen: {
    kind: "counter",
    name: "lcow_seen_total",
    help: "Seen\\things\nand more",
    labels: ["what"],
  },
  tasks: { kind: "gauge", name: "lcow_tasks", help: "Tasks", labels: [] },
  calls: {
    kind: "histogram",
    name: "lcow_call_seconds",
    help: "Calls",
    labels: ["rpc"],
  },
} as const satisfies MetricTable;

/** What a shim with some numbers says. */
function textWith(what: string, tasks: number): string {
  const metrics = new Metrics(table);
  metrics.add("seen", [what], 2);
  metrics.observe("calls", ["Start,}="], 0.5);
  return metrics.text({ tasks: [[[], tasks]] });
}

const neverTold = (): never => {
  throw new Error("no conflict was expected");
};

Deno.test("what a shim told is read and written again as it was", () => {
  for (const what of ["x", 'a"b', "c\\d\n", "\\n", ""]) {
    for (const tasks of [0.25, 1e21, Infinity, -Infinity, NaN]) {
      const text = textWith(what, tasks);
      assertEquals(formatExposition(parseExposition(text)), text);
      const [seen] = parseExposition(text);
      assertEquals(seen?.samples[0]?.labels, [["what", what]]);
    }
  }
});

Deno.test("metrics of several shims are each there once, their samples told apart", () => {
  const families = ["a", "b"].map((what) => parseExposition(textWith(what, 1)));
  const merged = formatExposition(mergeExpositions([
    { labels: [["namespace", 'n"'], ["sandbox", "a"]], families: families[0]! },
    { labels: [["namespace", "n"], ["sandbox", "b"]], families: families[1]! },
  ], neverTold));
  const lines = merged.split("\n").filter((line) => !line.includes("_bucket"));
  assertEquals(lines, [
    "# HELP lcow_seen_total Seen\\\\things\\nand more",
    "# TYPE lcow_seen_total counter",
    'lcow_seen_total{namespace="n\\"",sandbox="a",what="a"} 2',
    'lcow_seen_total{namespace="n",sandbox="b",what="b"} 2',
    "# HELP lcow_tasks Tasks",
    "# TYPE lcow_tasks gauge",
    'lcow_tasks{namespace="n\\"",sandbox="a"} 1',
    'lcow_tasks{namespace="n",sandbox="b"} 1',
    "# HELP lcow_call_seconds Calls",
    "# TYPE lcow_call_seconds histogram",
    'lcow_call_seconds_sum{namespace="n\\"",sandbox="a",rpc="Start,}="} 0.5',
    'lcow_call_seconds_count{namespace="n\\"",sandbox="a",rpc="Start,}="} 1',
    'lcow_call_seconds_sum{namespace="n",sandbox="b",rpc="Start,}="} 0.5',
    'lcow_call_seconds_count{namespace="n",sandbox="b",rpc="Start,}="} 1',
    "",
  ]);
});

Deno.test("a label of the shim's own gives way, another kind of the same name is left out", () => {
  const one = parseExposition('# TYPE x gauge\nx{namespace="own"} 1\n');
  const other = parseExposition("# HELP x y\n# TYPE x counter\nx 1\n");
  const conflicts: unknown[] = [];
  const merged = mergeExpositions([
    { labels: [["namespace", "a"]], families: one },
    { labels: [["namespace", "b"]], families: other },
  ], (labels, { name, kind }) => conflicts.push([labels, name, kind]));
  assertEquals(
    formatExposition(merged),
    '# HELP x \n# TYPE x gauge\nx{namespace="a",exported_namespace="own"} 1\n',
  );
  assertEquals(conflicts, [[[["namespace", "b"]], "x", "counter"]]);
});

Deno.test("what is not in the format is refused with its line", () => {
  for (
    const line of [
      "x",
      "x y",
      "x 0x10",
      "x Infinity",
      "x{a} 1",
      'x{a="b} 1',
      'x{a="b"c="d"} 1',
      "other 1",
      "x_sum 1",
      "<html>",
    ]
  ) {
    const text = `# TYPE x gauge\nx 1\n${line}\n`;
    const error = assertThrows(() => parseExposition(text), ShimError);
    assertEquals((error as ShimError).code, "DataLoss");
    assertEquals(error.message.startsWith("Line 3 of its metrics"), true);
  }
  assertEquals(parseExposition("\n# a comment\n"), []);
});
