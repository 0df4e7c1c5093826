import { assertEquals, assertStringIncludes } from "@std/assert";
import { jsonLogger } from "../../base/log.ts";
import { forwardKernelLog, parseKernelMessage } from "./kernel_log.ts";

Deno.test("parseKernelMessage() reads a record with properties", () => {
  const record = "14,339,5140900,-,caller=T1;usb 1-1: new device\n" +
    " SUBSYSTEM=usb\n DEVICE=c189:1\n";
  assertEquals(parseKernelMessage(record), {
    priority: 6,
    sequence: 339,
    uptime: 5140900,
    text: "usb 1-1: new device",
  });
});

Deno.test("parseKernelMessage() takes the facility off the priority", () => {
  assertEquals(parseKernelMessage("30,1,2,-;systemd says")?.priority, 6);
  assertEquals(parseKernelMessage("3,1,2,-;broken")?.priority, 3);
});

Deno.test("parseKernelMessage() keeps semicolons and undoes escapes", () => {
  assertEquals(parseKernelMessage("6,1,2,-;a;b\\x0ac")?.text, "a;b\nc");
});

Deno.test("parseKernelMessage() leaves out what is no record", () => {
  for (const text of ["", "words", "6,1;x", "a,1,2,-;x"]) {
    assertEquals(parseKernelMessage(text), undefined);
  }
});

/** A log of the kernel with these records. */
function source(records: readonly (string | Error)[]) {
  const rest = [...records];
  let closed = false;
  return {
    next: () =>
      Promise.try(() => {
        const record = rest.shift();
        if (record instanceof Error) throw record;
        return record ?? null;
      }),
    close: () => {
      closed = true;
    },
    get closed() {
      return closed;
    },
  };
}

Deno.test("forwardKernelLog() copies what is urgent enough", async () => {
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line));
  const records = ["4,1,10,-;watch out", "6,2,20,-;chatter", "2,3,30,-;fire"];
  await forwardKernelLog(source(records), 4, log);
  assertEquals(lines.map((line) => JSON.parse(line).msg), [
    "watch out",
    "fire",
  ]);
  assertEquals(lines.map((line) => JSON.parse(line).level), ["warn", "error"]);
  const { from, priority, uptime, time } = JSON.parse(lines[0]!);
  assertEquals([from, priority, uptime], ["kernel", 4, 10]);
  assertEquals(new Date(time).getFullYear() > 2000, true); // the logger's own
});

Deno.test("forwardKernelLog() closes a log that cannot be read", async () => {
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line));
  const broken = source([new Error("no memory")]);
  await forwardKernelLog(broken, 4, log);
  assertEquals(broken.closed, true);
  assertStringIncludes(lines[0]!, "no memory");
});
