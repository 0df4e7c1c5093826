import { assert, assertEquals } from "@std/assert";
import {
  describeHResult,
  HResult,
  HResultError,
  isAlreadyStopped,
  isGone,
  isNotFound,
  sameCondition,
} from "./hresult.ts";

Deno.test("HResultError takes signed and unsigned codes alike", () => {
  const signed = new HResultError(-1070137074, "Cannot open");
  const unsigned = new HResultError(0xc037010e, "Cannot open");
  assertEquals(signed.hresult, unsigned.hresult);
  assertEquals(
    signed.message,
    "Cannot open: HCS_E_SYSTEM_NOT_FOUND (0xC037010E)",
  );
  assertEquals(signed.code, "NotFound");
});

Deno.test("sameCondition() unites the vmcompute, computecore and Win32 forms", () => {
  assert(sameCondition(0xc037010e, 0x8037010e));
  assert(sameCondition(0x80070490, 0x490));
  assert(!sameCondition(0xc037010e, 0xc037010f));
  assert(!sameCondition(0x80004005, 0x4005));
});

Deno.test("predicates follow the chain of causes to the first code", () => {
  const code = (value: number): Error => new HResultError(value, "x");
  assert(isNotFound(new Error("outer", { cause: code(0x8037010e) })));
  assert(isAlreadyStopped(code(HResult.SystemAlreadyStopped)));
  assert(isAlreadyStopped(code(0x80370110)));
  assert(isGone(code(HResult.ConnectionClosed)));
  assert(isGone(code(0x80370105)));
  assert(!isGone(code(HResult.Fail)));
  assert(!isGone(new Error("plain")));
});

Deno.test("describeHResult() names unknown codes by their value", () => {
  assertEquals(describeHResult(0x8badf00d), "HRESULT (0x8BADF00D)");
  assertEquals(describeHResult(5), "E_ACCESSDENIED (0x00000005)");
});
