import { assertEquals } from "@std/assert";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import { TaskExit } from "../../ttrpc/api/events.gen.ts";
import { messageOf, recordedMessage } from "./trace_messages.ts";

Deno.test("members have the names of each side; those of maps stay", () => {
  const recorded = { exec_id: "e", annotations: { a_b: "c" } };
  const message = { execId: "e", annotations: { a_b: "c" } };
  assertEquals(messageOf(recorded), message);
  assertEquals(recordedMessage({ execId: "e" }), { exec_id: "e" });
});

Deno.test("what is unset is absent", () => {
  const message = { id: "", pid: 0, all: false, rootfs: [], info: {}, at: 0n };
  assertEquals(recordedMessage(message), {});
});

Deno.test("times and the shim's process are names; a state has its own", () => {
  const message = {
    exitedAt: { seconds: 5n, nanos: 0 },
    shimPid: Deno.pid,
    status: 3,
  };
  assertEquals(recordedMessage(message), {
    exited_at: "<time>",
    shim_pid: "<shim-pid>",
    status: "STOPPED",
  });
});

Deno.test("an Any is packed by its type, and read again", () => {
  const options = {
    type_url: "containerd.runhcs.v1.Options",
    decoded: { vm_processor_count: 2 },
  };
  const packed = messageOf({ options }) as { options: Any };
  assertEquals(packed.options.typeUrl, options.type_url);
  assertEquals(recordedMessage(packed), { options });
});

Deno.test("an Any of an unknown type holds JSON, or bytes", () => {
  const json = messageOf({ type_url: "t", json: { a: 1 } }) as Any;
  assertEquals(new TextDecoder().decode(json.value), '{"a":1}');
  const bytes = { type_url: "nope", base64: "AQI=" };
  assertEquals(recordedMessage(messageOf(bytes)), bytes);
});

Deno.test("an event is recorded like the peer's", () => {
  const event = { containerId: "c", id: "c", pid: 7, exitStatus: 137 };
  assertEquals(recordedMessage(TaskExit.decode(TaskExit.encode(event))), {
    container_id: "c",
    id: "c",
    pid: 7,
    exit_status: 137,
  });
});
