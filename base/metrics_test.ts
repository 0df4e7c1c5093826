import { assertEquals } from "@std/assert";
import { buckets, Metrics, type MetricTable } from "./metrics.ts";

const table = {
  lost: {
    kind: "counter",
    name: "lcow_lost_total",
    help: "Lost\\things\nand more",
    labels: [],
  },
  seen: {
    kind: "counter",
    name: "lcow_seen_total",
    help: "Seen",
    labels: ["what", "where"],
  },
  tasks: {
    kind: "gauge",
    name: "lcow_tasks",
    help: "Tasks",
    labels: ["state"],
  },
  calls: {
    kind: "histogram",
    name: "lcow_call_seconds",
    help: "Calls",
    labels: ["rpc"],
  },
} as const satisfies MetricTable;

Deno.test("a counter without labels begins at 0, help is escaped, what has no numbers is left out", () => {
  assertEquals(
    new Metrics(table).text({ tasks: [] }),
    "# HELP lcow_lost_total Lost\\\\things\\nand more\n# TYPE lcow_lost_total counter\nlcow_lost_total 0\n",
  );
});

Deno.test("a counter has its known label values from the start", () => {
  const seen = { ...table.seen, known: [["cat", "roof"], ["dog", "yard"]] };
  const metrics = new Metrics({ seen });
  metrics.add("seen", ["dog", "yard"]);
  assertEquals(metrics.text({}).split("\n").slice(2, -1), [
    'lcow_seen_total{what="cat",where="roof"} 0',
    'lcow_seen_total{what="dog",where="yard"} 1',
  ]);
});

Deno.test("counters are summed up per label values, which are escaped", () => {
  const metrics = new Metrics(table);
  metrics.add("seen", ['a"b', "c\\d\n"], 2);
  metrics.add("seen", ['a"b', "c\\d\n"]);
  metrics.add("seen", ["x", "y"]);
  const lines = metrics.text({ tasks: [] }).split("\n");
  assertEquals(lines.filter((line) => line.startsWith("lcow_seen")), [
    'lcow_seen_total{what="a\\"b",where="c\\\\d\\n"} 3',
    'lcow_seen_total{what="x",where="y"} 1',
  ]);
});

Deno.test("gauges show what they are given", () => {
  const metrics = new Metrics(table);
  const text = metrics.text({
    tasks: [[["Running"], 2], [["Created"], 0.5], [["x"], Infinity]],
  });
  assertEquals(text.split("\n").slice(3, -1), [
    "# HELP lcow_tasks Tasks",
    "# TYPE lcow_tasks gauge",
    'lcow_tasks{state="Running"} 2',
    'lcow_tasks{state="Created"} 0.5',
    'lcow_tasks{state="x"} +Inf',
  ]);
});

Deno.test("a histogram counts into its buckets, bounds included, up to +Inf", () => {
  const metrics = new Metrics(table);
  const observed = [0.0005, 0.001, 0.0011, 300, 300.1];
  for (const seconds of observed) metrics.observe("calls", ["Start"], seconds);
  const lines = metrics.text({ tasks: [] }).split("\n").filter((line) =>
    line.startsWith("lcow_call_seconds")
  );
  const row = /^lcow_call_seconds_bucket\{rpc="Start",le="(.+)"\} (\d+)$/;
  const rows = lines.slice(0, -2).map((line) => row.exec(line)!.slice(1));
  assertEquals(rows.map(([bound]) => bound), [...buckets.map(String), "+Inf"]);
  assertEquals(rows.map(([, count]) => Number(count)), [
    2,
    ...buckets.slice(1, -1).map(() => 3),
    4,
    5,
  ]);
  const sum = observed.reduce((sum, seconds) => sum + seconds);
  assertEquals(lines.slice(-2), [
    `lcow_call_seconds_sum{rpc="Start"} ${sum}`,
    'lcow_call_seconds_count{rpc="Start"} 5',
  ]);
});
