import { assertEquals } from "@std/assert";
import { logFileName, parseLogFileName, storedLogs } from "./names.ts";

const odd = [
  "pod1",
  "Pod1",
  "pod:1",
  "con",
  "a.1",
  "a+b",
  "a%2eb",
  "a.",
  " a ",
  '*?<>|"',
  "..a",
  "-f",
  "größe",
  "日本",
];

Deno.test("every namespace and id has a file name of its own, from which it can be read back", () => {
  const seen = new Set<string>();
  for (const namespace of odd) {
    for (const id of odd) {
      const name = logFileName({ namespace, id }, 12);
      // Windows: no such characters, no difference between small and capital.
      assertEquals(/^[a-z0-9_.+%-]+$/.test(name), true, name);
      assertEquals(seen.has(name), false, name);
      seen.add(name);
      assertEquals(parseLogFileName(name), { namespace, id, generation: 12 });
    }
  }
});

Deno.test("other file names are none of a log", () => {
  const names = [
    "",
    "lcow+a+b.jsonl",
    "lcow+a.1.jsonl",
    "lcow+A+b.1.jsonl",
    "lcow+a+b.01.jsonl",
    "lcow+a+b.1.jsonl.gz",
    "lcow+a+%ff.1.jsonl",
    "lcow+a+%zz.1.jsonl",
    "lcow+a+b+c.1.jsonl",
    "lcow+%2E+b.1.jsonl",
  ];
  for (const name of names) assertEquals(parseLogFileName(name), undefined);
});

Deno.test("storedLogs() lists logs with their generations in order, and nothing else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "lcow-log-" });
  try {
    for (
      const name of [
        "lcow+a+b.10.jsonl",
        "lcow+a+b.9.jsonl",
        "lcow+a+c.1.jsonl",
        "notes.txt",
      ]
    ) await Deno.writeTextFile(`${folder}/${name}`, "");
    await Deno.mkdir(`${folder}/lcow+a+d.1.jsonl`);
    await Deno.symlink("/etc/passwd", `${folder}/lcow+a+e.1.jsonl`);
    const logs = await storedLogs(folder);
    assertEquals(logs.toSorted((a, b) => a.id < b.id ? -1 : 1), [
      { namespace: "a", id: "b", generations: [9, 10] },
      { namespace: "a", id: "c", generations: [1] },
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
