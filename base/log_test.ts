import { assertEquals } from "@std/assert";
import { jsonLogger, parseLogLevel } from "./log.ts";

function lines(scrub?: boolean): {
  log: ReturnType<typeof jsonLogger>;
  read: () => Record<string, unknown>[];
} {
  const written: string[] = [];
  const log = jsonLogger((line) => written.push(line), {
    now: () => 0,
    fields: { sandbox: "pod1" },
    ...(scrub === undefined ? {} : { scrub }),
  });
  return { log, read: () => written.map((line) => JSON.parse(line)) };
}

Deno.test("jsonLogger() writes one JSON line with the bound fields", () => {
  const { log, read } = lines();
  log.child({ container: "web" }).info("Started", { pid: 7, id: 2n ** 60n });
  assertEquals(read(), [{
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    msg: "Started",
    sandbox: "pod1",
    container: "web",
    pid: 7,
    id: "1152921504606846976",
  }]);
});

Deno.test("jsonLogger() drops lines below its level", () => {
  const { log, read } = lines();
  log.debug("hidden");
  log.error("shown", { error: new Error("why") });
  assertEquals(read().map(({ msg, error }) => [msg, error]), [[
    "shown",
    "why",
  ]]);
});

Deno.test("jsonLogger() scrubs environments and annotations unless told not to", () => {
  const spec = { process: { env: ["PASSWORD=x"] }, annotations: { a: "b" } };
  const scrubbed = lines();
  scrubbed.log.info("Create", { spec });
  assertEquals(read1(scrubbed.read()), {
    process: { env: "<scrubbed>" },
    annotations: "<scrubbed>",
  });
  const plain = lines(false);
  plain.log.info("Create", { spec });
  assertEquals(read1(plain.read()), spec);
});

function read1(all: Record<string, unknown>[]): unknown {
  return all[0]?.["spec"];
}

Deno.test("parseLogLevel() knows the names of containerd's levels", () => {
  assertEquals(
    ["TRACE", "warning", "panic", "loud"].map(parseLogLevel),
    ["trace", "warn", "error", undefined],
  );
});

Deno.test("jsonLogger() adds the fields of what runs now, beneath those of the logger and of the line", () => {
  const written: string[] = [];
  let now: Record<string, unknown> | undefined = undefined;
  const log = jsonLogger((line) => written.push(line), {
    current: () => now,
    fields: { cid: "bound" },
  });
  log.info("outside");
  now = { trace_id: "t", cid: "current", eid: "current" };
  log.info("inside", { eid: "own" });
  assertEquals(
    written.map((line) => {
      const { time: _, level: __, ...fields } = JSON.parse(line);
      return fields;
    }),
    [
      { msg: "outside", cid: "bound" },
      { msg: "inside", trace_id: "t", cid: "bound", eid: "own" },
    ],
  );
});

function errorOf(task: () => unknown): string {
  try {
    return `It gave ${task()}`;
  } catch (error) {
    return String(error);
  }
}

Deno.test("jsonLogger() scrubs environments and annotations that a text quotes, also quoted twice and cut off", () => {
  const process = { args: ["sh"], Environment: { TOKEN: "hush" } };
  const request = { Settings: { ProcessParameters: JSON.stringify(process) } };
  const texts = [
    JSON.stringify({ env: ["TOKEN=hush"] }),
    `failed to unmarshal JSON in message "${JSON.stringify(request)}": no`,
    JSON.stringify(JSON.stringify({ spec: JSON.stringify(process) })),
    `cut off "annotations" : {"a":"hush`,
    '$.process.env: expected a list, got "TOKEN=hush"',
    '$.annotations["a"][0]: expected an object, got "hush"',
    'Invalid annotation a.b: expected true or false, got "hush"',
    JSON.stringify({ m: 'Annotation conflict of "a" and "b", got "hush"' }),
    errorOf(() => JSON.parse('{"x":["T=hush",x')),
    errorOf(() => JSON.parse("TOKEN=hush")),
  ];
  for (const text of texts) {
    const { log, read } = lines();
    log.warn(text, { error: new Error(text), nested: [{ stack: text }] });
    const written = JSON.stringify(read());
    assertEquals(written.includes("hush"), false, written);
    assertEquals(written.split("<scrubbed>").length, 4, written);
  }
  const plain = lines(false);
  plain.log.warn(texts[0]!);
  assertEquals(plain.read()[0]?.["msg"], texts[0]);
});

Deno.test("jsonLogger() leaves texts alone that name an environment and quote none", () => {
  const text = 'no "environment" here, env: "x", {"envy":1}';
  const { log, read } = lines();
  log.info(text);
  assertEquals(read()[0]?.["msg"], text);
});
