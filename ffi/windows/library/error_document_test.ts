import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { classify } from "../../../base/errors.ts";
import { HResult, isNotFound } from "../../../base/hresult.ts";
import { jsonLogger, silentLogger } from "../../../base/log.ts";
import { computeError, errorDetail, isFailure } from "./error_document.ts";

const subject = "hcs::CreateComputeSystem pod1@vm";

Deno.test("isFailure goes by the sign bit, signed or unsigned", () => {
  assertEquals(
    [0, 1, 0x80004005, -2147467259, HResult.Pending].map(isFailure),
    [false, false, true, true, true],
  );
});

Deno.test("an error without a document names operation, id and code", () => {
  const error = computeError(subject, 0x80070005, null, silentLogger);
  assertEquals(error.code, "PermissionDenied");
  assertEquals(error.hresult, 0x80070005);
  assertStringIncludes(
    error.message,
    `${subject}: E_ACCESSDENIED (0x80070005)`,
  );
});

Deno.test("pains:26 the messages of the events stand in the error, one line, cut", () => {
  const text = JSON.stringify({
    Error: -1070137082,
    ErrorMessage: "general",
    ErrorEvents: [
      { Message: "'pod1@vm' failed\r\n to start.", Provider: "p", EventId: 1 },
      { message: "Access denied", StackTrace: "x".repeat(5000) },
      { Message: "" },
      "garbage",
      { Message: "y".repeat(5000) },
    ],
  });
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line));
  const { message } = computeError(subject, HResult.UnexpectedExit, text, log);
  assertStringIncludes(
    message,
    `${subject}: 'pod1@vm' failed to start; Access denied; yyy`,
  );
  assertStringIncludes(message, "HCS_E_UNEXPECTED_EXIT (0xC0370106)");
  assert(message.length < 600 && !message.includes("\n"));
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0]!, "x".repeat(5000), "the log has it whole");
});

Deno.test("without events the document's own message is used", () => {
  assertEquals(
    errorDetail({ errormessage: " No such disk. " }),
    "No such disk",
  );
  assertEquals(
    errorDetail({ Success: false, Error: "The network was not found. " }),
    "The network was not found",
  );
  for (const odd of [null, 7, "text", [], { ErrorEvents: {} }]) {
    assertEquals(errorDetail(odd), "");
  }
});

for (const text of ["", "{", "\ufffd\ufffd"]) {
  Deno.test(`the unparsable document ${JSON.stringify(text)} is ignored`, () => {
    const lines: string[] = [];
    const log = jsonLogger((line) => lines.push(line));
    const error = computeError(subject, HResult.SystemNotFound, text, log);
    assertEquals(
      error.message,
      `${subject}: HCS_E_SYSTEM_NOT_FOUND (0xC037010E)`,
    );
    assertEquals(lines.length, text === "" ? 0 : 1);
  });
}

Deno.test("host:O7 a wrapped error of the service keeps its class: timeout, lost connection, not found", () => {
  const wrapped = (hresult: number): Error => {
    const cause = computeError(subject, hresult, null, silentLogger);
    return new Error("outer", { cause: new Error("inner", { cause }) });
  };
  assertEquals(classify(wrapped(HResult.Timeout)), "DeadlineExceeded");
  assertEquals(classify(wrapped(0x80370118)), "DeadlineExceeded");
  assertEquals(classify(wrapped(HResult.ConnectionClosed)), "Unavailable");
  assertEquals(isNotFound(wrapped(0x8037010e)), true);
  assertEquals(isNotFound(wrapped(HResult.Timeout)), false);
});
