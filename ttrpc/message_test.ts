import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { Any, Duration, RpcStatus, Timestamp } from "./api/any.gen.ts";
import {
  BootstrapParams,
  BootstrapResult,
  LogLevel,
} from "./api/bootstrap.gen.ts";
import { CPUUsage, PidsStat } from "./api/cgroups_v1.gen.ts";
import { LinuxSandboxSecurityContext } from "./api/cri.gen.ts";
import { KeyValue, Request } from "./api/envelope.gen.ts";
import { TaskExit } from "./api/events.gen.ts";
import { Options } from "./api/runhcs_options.gen.ts";
import { Statistics } from "./api/runhcs_stats.gen.ts";
import { CreateTaskRequest, TaskV2, TaskV3 } from "./api/task.gen.ts";
import { TaskStatus } from "./api/task_types.gen.ts";
import type { MessageType } from "./message.ts";

function bytes(...hex: string[]): Uint8Array {
  const digits = hex.join("").replaceAll(" ", "");
  return Uint8Array.fromHex(digits);
}

/** Asserts that `hex` is what `value` is on the wire, in both directions. */
function assertWire<T>(
  type: MessageType<T>,
  value: Partial<T>,
  ...hex: string[]
): void {
  const expected = bytes(...hex);
  assertEquals(type.encode(value).toHex(), expected.toHex());
  const decoded = type.decode(expected);
  for (const [name, member] of Object.entries(value)) {
    assertEquals(decoded[name as keyof T] as unknown, member);
  }
}

Deno.test("a task create request has the field numbers of containerd task v3", () => {
  assertWire(
    CreateTaskRequest,
    {
      id: "web",
      bundle: "/b",
      rootfs: [{ type: "bind", source: "/s", target: "", options: ["ro", ""] }],
      terminal: true,
      stdout: "/o",
      options: { typeUrl: "x", value: new Uint8Array([1, 2]) },
    },
    "0a 03 776562", // 1 id "web"
    "12 02 2f62", // 2 bundle "/b"
    "1a 10", // 3 rootfs, 16 bytes
    "0a 04 62696e64", // 1 type "bind"
    "12 02 2f73", // 2 source "/s"
    "22 02 726f", // 4 options "ro"
    "22 00", // 4 options "": an empty item is an item
    "20 01", // 4 terminal true
    "32 02 2f6f", // 6 stdout "/o"
    "52 07", // 10 options, 7 bytes
    "0a 01 78", // 1 type_url "x"
    "12 02 0102", // 2 value 01 02
  );
});

Deno.test("an absent message is absent, absent scalars are zero", () => {
  const request = CreateTaskRequest.decode(new Uint8Array());
  assertEquals(request, {
    id: "",
    bundle: "",
    rootfs: [],
    terminal: false,
    stdin: "",
    stdout: "",
    stderr: "",
    checkpoint: "",
    parentCheckpoint: "",
  });
  assertEquals(CreateTaskRequest.encode(request).length, 0);
});

Deno.test("negative int32, int64 and enumerations take ten bytes", () => {
  assertWire(
    BootstrapParams,
    { logLevel: LogLevel.LOG_LEVEL_DEBUG },
    "18 fcffffffffffffffff01", // 3 log_level -4
  );
  assertWire(
    Timestamp,
    { seconds: -1n, nanos: 5 },
    "08 ffffffffffffffffff01", // 1 seconds -1
    "10 05", // 2 nanos 5
  );
  assertWire(
    Duration,
    { seconds: 0n, nanos: -2147483648 },
    "10 80808080f8ffffffff01", // 2 nanos -2^31
  );
  assertWire(
    RpcStatus,
    { code: 5, message: "gone", details: [] },
    "08 05", // 1 code NotFound
    "12 04 676f6e65", // 2 message "gone"
  );
});

Deno.test("unknown numbers of an enumeration are kept", () => {
  assertEquals(BootstrapParams.decode(bytes("18 63")).logLevel, 99);
  assertEquals(TaskStatus.STOPPED, 3);
});

Deno.test("64-bit integers keep every bit", () => {
  assertWire(
    PidsStat,
    { current: 2n ** 53n + 1n, limit: 2n ** 64n - 1n },
    "08 8180808080808010", // 1 current 2^53+1
    "10 ffffffffffffffffff01", // 2 limit 2^64-1
  );
  assertWire(
    Request,
    { timeoutNano: -(2n ** 63n) },
    "20 80808080808080808001", // 4 timeout_nano -2^63
  );
  for (let bit = 0n; bit < 64n; bit++) {
    const current = 1n << bit;
    assertEquals(
      PidsStat.decode(PidsStat.encode({ current })).current,
      current,
    );
  }
});

Deno.test("repeated numbers are written packed and read both ways, also mixed", () => {
  assertWire(
    CPUUsage,
    { perCpu: [1n, 300n, 2n ** 64n - 1n] },
    "22 0d", // 4 per_cpu, packed, 13 bytes
    "01 ac02 ffffffffffffffffff01",
  );
  const both = bytes(
    "20 07", // 4 per_cpu 7, unpacked
    "22 02 0809", // 4 per_cpu 8 and 9, packed
    "20 0a", // 4 per_cpu 10, unpacked
  );
  assertEquals(CPUUsage.decode(both).perCpu, [7n, 8n, 9n, 10n]);
  assertWire(
    LinuxSandboxSecurityContext,
    { supplementalGroups: [-1n] },
    "2a 0a ffffffffffffffffff01", // 5 supplemental_groups, packed
  );
});

Deno.test("maps are repeated entries; a missing key or value is empty", () => {
  assertWire(
    BootstrapResult,
    { metadata: { a: "1", b: "" } },
    "2a 06 0a0161 120131", // 5 metadata {1 key "a", 2 value "1"}
    "2a 05 0a0162 1200", // 5 metadata {1 key "b", 2 value ""}
  );
  const odd = bytes(
    "2a 00", // 5 metadata, an empty entry
    "2a 05 120131 1a00", // 5 metadata {2 value "1", an unknown field}
  );
  assertEquals(BootstrapResult.decode(odd).metadata, { "": "1" });
  const hostile = BootstrapResult.decode(
    bytes("2a 0e 0a09 5f5f70726f746f5f5f 1201 78"), // key "__proto__"
  );
  assertEquals(Object.keys(hostile.metadata), ["__proto__"]);
});

Deno.test("an optional scalar tells false from absent", () => {
  assertWire(Options, { scrubLogs: false }, "a00100"); // 20 scrub_logs false
  assertEquals(Options.decode(new Uint8Array()).scrubLogs, undefined);
  assertEquals(Options.encode({}).length, 0);
});

Deno.test("a oneof keeps the last member seen", () => {
  const value = Statistics.decode(bytes(
    "0a 00", // 1 windows {}
    "12 02 1200", // 2 linux {2 pids {}}
  ));
  assertEquals(value.windows, undefined);
  assertEquals(value.linux?.pids, { current: 0n, limit: 0n });
});

Deno.test("unknown fields and fields of another wire type are skipped", () => {
  const value = KeyValue.decode(bytes(
    "0a 01 6b", // 1 key "k"
    "18 7f", // 3 unknown varint
    "21 0102030405060708", // 4 unknown 64 bit
    "2d 01020304", // 5 unknown 32 bit
    "32 02 6869", // 6 unknown bytes
    "3b 0801 3c", // 7 unknown group
    "08 05", // 1 key, but as a varint
    "12 01 76", // 2 value "v"
  ));
  assertEquals(value, { key: "k", value: "v" });
});

Deno.test("bytes that are no such message are an InvalidArgument", () => {
  const cases = [
    "0a", // a tag and nothing else
    "0a 05 61", // a string longer than the message
    "0a ffffffff0f", // a length beyond all bounds
    "08", // a varint that does not come
    "22 05 0a 7f 61 62 63", // an inner field longer than its message
    "00 01", // field number 0
    "0f", // wire type 7
    "0c", // the end of a group that never began
    "08 ffffffffffffffffffff01", // a varint of eleven bytes
  ];
  for (const type of [TaskExit, CPUUsage, CreateTaskRequest] as const) {
    for (const hex of cases) {
      const message = bytes(hex);
      try {
        (type as MessageType<unknown>).decode(message);
      } catch (error) {
        assertEquals((error as ShimError).code, "InvalidArgument", hex);
      }
    }
  }
  const error = assertThrows(
    () => CreateTaskRequest.decode(bytes("1a 02 0a 05 61 62 63 64 65")),
    ShimError,
    "Cannot decode containerd.task.v3.CreateTaskRequest: ",
  );
  assertEquals(error.code, "InvalidArgument");
  for (const hex of ["0a", "0a 05 61", "00 01", "0f", "0c"]) {
    assertThrows(() => Any.decode(bytes(hex)), ShimError, "Cannot decode");
  }
});

Deno.test("task v2 and v3 are two services with the same messages", () => {
  assertEquals(TaskV2.name, "containerd.task.v2.Task");
  assertEquals(TaskV3.name, "containerd.task.v3.Task");
  assertEquals(Object.keys(TaskV2.methods), Object.keys(TaskV3.methods));
  assertEquals(Object.keys(TaskV3.methods).length, 17);
  assertEquals(TaskV2.methods.Create, TaskV3.methods.Create);
});
