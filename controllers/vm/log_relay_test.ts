import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { memoryPair } from "../../base/duplex.ts";
import { jsonLogger } from "../../base/log.ts";
import { limits } from "../../base/timeouts.ts";
import { LogRecords } from "./log_records.ts";
import { relayGuestLog } from "./log_relay.ts";

type Line = Record<string, unknown>;

/** What becomes of a log that comes in these portions. */
async function relay(
  portions: readonly string[],
  onDropped?: (lines: number) => void,
): Promise<Line[]> {
  const lines: Line[] = [];
  const log = jsonLogger((line) => lines.push(JSON.parse(line)), {
    level: "trace",
  });
  const [host, guest] = memoryPair();
  const done = relayGuestLog(host, {
    log,
    clock: new FakeClock(),
    ids: { "sandbox-id": "pod1", "uvm-id": "pod1@vm" },
    onDropped,
  });
  for (const portion of portions) {
    await guest.write(new TextEncoder().encode(portion));
  }
  await guest.closeWrite();
  await done;
  return lines;
}

function messages(lines: readonly Line[]): unknown[] {
  return lines.map(({ level, msg }) => `${level} ${msg}`);
}

Deno.test("host:O5 records become lines of their level, marked as the guest's", async () => {
  const [line] = await relay([
    '{"time":"2026-01-01T00:00:00Z","level":"warning","msg":"hi","n":3.0}',
  ]);
  const { time: _ours, ...rest } = line ?? {};
  assertEquals(rest, {
    level: "warn",
    msg: "hi",
    source: "guest",
    "sandbox-id": "pod1",
    "uvm-id": "pod1@vm",
    n: 3,
    "vm.time": "2026-01-01T00:00:00Z",
  });
});

Deno.test("host:O5 levels: none is info, fatal and panic are errors", async () => {
  const lines = await relay([
    '{"msg":"a"}{"level":"trace","msg":"b"}\n{"level":"fatal","msg":"c"}' +
    '{"level":"panic","msg":"d"} {"level":"loud","msg":"e"}',
  ]);
  assertEquals(messages(lines), [
    "info a",
    "trace b",
    "error c",
    "error d",
    "info e",
  ]);
});

Deno.test("records may come in pieces, with braces and quotes in their texts", async () => {
  const text = '{"msg":"a } \\" { \\\\","x":{"y":{}}}';
  assertEquals(messages(await relay([...text])), ['info a } " { \\']);
});

Deno.test("host:O5 records of kernel tracing carry their text in another member", async () => {
  assertEquals(
    messages(await relay(['{"Source":"ETW","Message":"oops","msg":""}'])),
    ["info oops"],
  );
});

Deno.test("host:O5 text between records becomes one error line, and the relay goes on", async () => {
  const lines = await relay([
    '{"msg":"a"}\nline 1\nline 2\n{not json}\n{"msg":"b"}\n',
  ]);
  assertEquals(messages(lines), [
    "info a",
    "error gcs printed text",
    "info b",
  ]);
  assertEquals(lines[1]?.["stderr"], "line 1\nline 2\n{not json}");
});

Deno.test("host:O5 what is left at the end becomes an error line", async () => {
  const lines = await relay(["panic: no", " memory\ngoroutine 1", " {"]);
  assertEquals(messages(lines), ["error gcs terminated"]);
  assertEquals(lines[0]?.["stderr"], "panic: no memory\ngoroutine 1 {");
});

Deno.test("a record longer than the limit does not fill the memory", () => {
  const records = new LogRecords(100);
  const pieces = [...records.push(`{"msg":"${"x".repeat(250)}`)];
  assertEquals(pieces.map(({ kind }) => kind), ["text", "text"]);
  assertEquals(records.end().length, 58);
});

Deno.test("lines beyond the rate are counted, not shown", async () => {
  const told: number[] = [];
  const lines = await relay(
    ['{"msg":"x"}'.repeat(limits.logRate + 5)],
    (lines) => told.push(lines),
  );
  assertEquals(told, [5]);
  assertEquals(lines.length, limits.logRate + 1);
  assertEquals(lines.at(-1)?.["dropped"], 5);
});

Deno.test("a log that cannot be read says so", async () => {
  const lines: Line[] = [];
  await relayGuestLog({
    read: () => Promise.reject(new Error("reset")),
  }, {
    log: jsonLogger((line) => lines.push(JSON.parse(line))),
    clock: new FakeClock(),
    ids: { "sandbox-id": "pod1", "uvm-id": "pod1@vm" },
  });
  assertEquals(messages(lines), ["error gcs log read"]);
});

Deno.test("a record that is nested too deeply does not end the log", async () => {
  const deep = `{"msg":"a","x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
  assertEquals(messages(await relay([`${deep}{"msg":"b"}`])), [
    "error gcs logged what cannot be shown",
    "info b",
  ]);
});

Deno.test("a record cannot say that it comes from elsewhere", async () => {
  const [line] = await relay([
    '{"msg":"a","source":"host","uvm-id":"other","sandbox-id":"other"}',
  ]);
  assertEquals(
    [line?.["source"], line?.["uvm-id"], line?.["sandbox-id"]],
    ["guest", "pod1@vm", "pod1"],
  );
});
