import { assertEquals } from "@std/assert";
import { type ErrorCode, ShimError } from "../base/errors.ts";
import { errorCode, fromStatus, statusCodes, toStatus } from "./status.ts";

Deno.test("every class keeps its number of google/rpc/code.proto, both ways", () => {
  const numbers: [ErrorCode, number][] = [
    ["Canceled", 1],
    ["Unknown", 2],
    ["InvalidArgument", 3],
    ["DeadlineExceeded", 4],
    ["NotFound", 5],
    ["AlreadyExists", 6],
    ["PermissionDenied", 7],
    ["ResourceExhausted", 8],
    ["FailedPrecondition", 9],
    ["Aborted", 10],
    ["OutOfRange", 11],
    ["NotImplemented", 12],
    ["Internal", 13],
    ["Unavailable", 14],
    ["DataLoss", 15],
    ["Unauthenticated", 16],
  ];
  assertEquals(Object.entries(statusCodes), numbers);
  for (const [code, number] of numbers) {
    const status = toStatus(new ShimError(code, "why"));
    assertEquals(status, { code: number, message: "why", details: [] });
    const error = fromStatus(status);
    assertEquals([error?.code, error?.message], [code, "why"]);
  }
});

Deno.test("errorCode() of a number without a class is Unknown", () => {
  for (const number of [0, 17, -1]) assertEquals(errorCode(number), "Unknown");
});

Deno.test("fromStatus() is undefined for success", () => {
  assertEquals(fromStatus(undefined), undefined);
  assertEquals(fromStatus({ code: 0, message: "" }), undefined);
});

Deno.test("toStatus() cuts a message that is longer than the limit", () => {
  const { message } = toStatus(new Error("é".repeat(20_000)));
  assertEquals(message, "é".repeat(16_384) + "…");
});
