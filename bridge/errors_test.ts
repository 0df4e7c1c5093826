import { assert, assertEquals } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { HResultError, isGone, isNotFound } from "../base/hresult.ts";
import { bridgeClosed, errorOfResponse, responseOfError } from "./errors.ts";

Deno.test("host:M9 guest:Q3 a signed Result becomes the unsigned code that hosts compare with", () => {
  const error = errorOfResponse({ Result: -1070137074, ErrorMessage: "no c" });
  assert(error !== undefined);
  assertEquals(error.hresult, 0xc037010e);
  assertEquals(error.code, "NotFound");
  assert(isNotFound(error));
});

Deno.test("errorOfResponse() prefixes the guest's text, or names the code when there is none", () => {
  assertEquals(errorOfResponse({ Result: 0 }), undefined);
  assertEquals(
    errorOfResponse({ Result: -2147467259, ErrorMessage: "no such file" })
      ?.message,
    "guest RPC failure: no such file: E_FAIL (0x80004005)",
  );
  assertEquals(
    errorOfResponse({ Result: -2147467263 })?.message,
    "guest RPC failure: E_NOTIMPL (0x80004001)",
  );
});

Deno.test("an HResultError goes over the wire and back with its code once in the text", () => {
  const error = new HResultError(0xc037010e, 'Container "web" not found');
  const response = responseOfError(new Error("delete", { cause: error }));
  assertEquals(response.Result, -1070137074);
  const back = errorOfResponse(responseOfError(error));
  assertEquals(
    back?.message,
    'guest RPC failure: Container "web" not found: HCS_E_SYSTEM_NOT_FOUND (0xC037010E)',
  );
});

Deno.test("responseOfError() answers E_FAIL for an error without a code", () => {
  const { Result, ErrorMessage, ErrorRecords } = responseOfError(
    new ShimError("InvalidArgument", "pod p does not exist"),
  );
  assertEquals(Result, -2147467259);
  assertEquals(ErrorMessage, "pod p does not exist");
  const [record] = ErrorRecords ?? [];
  assertEquals(ErrorRecords?.length, 1);
  assertEquals(record?.Message, ErrorMessage);
  assertEquals(record?.ModuleName, "gcs");
  assertEquals(record?.FileName, "errors_test.ts");
  assertEquals(record?.StackTrace, undefined);
});

Deno.test("responseOfError() carries the stack of a fault, and survives a thrown non-error", () => {
  function broken(): never {
    throw new TypeError("x is undefined");
  }
  let fault: unknown;
  try {
    broken();
  } catch (error) {
    fault = error;
  }
  const [record] = responseOfError(fault).ErrorRecords ?? [];
  assertEquals(record?.FunctionName, "broken");
  assert(record?.StackTrace?.includes("errors_test.ts"));
  const [other] = responseOfError("just text").ErrorRecords ?? [];
  assertEquals(other?.Message, "just text");
  assertEquals(other?.FileName, "");
  assertEquals(other?.Line, 0xffffffff);
});

Deno.test("host:M6 bridgeClosed() is Unavailable, says so, and counts as gone", () => {
  const error = bridgeClosed("Cannot call Start", new Error("read failed"));
  assertEquals(error.code, "Unavailable");
  assert(error.message.includes("bridge closed: read failed"));
  assert(isGone(error));
});
