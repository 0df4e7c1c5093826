import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { BootstrapResult } from "../ttrpc/api/bootstrap.gen.ts";
import { encodeAnswer } from "./answer.ts";
import {
  type Answer,
  chooseAnswer,
  forcedVersion,
  needsMajor,
} from "./dialect.ts";

const majors = [undefined, 0, 1, 2, 3] as const;

const protobuf: Answer = { form: "protobuf", version: 3, writesAddress: false };
const plain: Answer = { form: "plain", version: 2, writesAddress: true };
const json2: Answer = { form: "json", version: 2, writesAddress: true };
const json3: Answer = { form: "json", version: 3, writesAddress: false };

/** The table of the specification, row by row. */
function expected(
  params: boolean,
  max: boolean,
  major: number | undefined,
  forced: 2 | 3 | undefined,
): Answer {
  if (params) return protobuf;
  if (!max) return plain;
  if (forced !== undefined) return forced === 2 ? json2 : json3;
  if (major === undefined || major < 1) return json2;
  return major === 1 ? json2 : json3;
}

Deno.test("chooseAnswer() answers every combination of evidence as the table says", () => {
  for (const params of [true, false]) {
    for (const maxShimVersion of [true, false]) {
      for (const major of majors) {
        for (const forced of [undefined, 2, 3] as const) {
          assertEquals(
            chooseAnswer({ params, maxShimVersion, major }, forced),
            expected(params, maxShimVersion, major, forced),
            JSON.stringify({ params, maxShimVersion, major, forced }),
          );
        }
      }
    }
  }
});

Deno.test("needsMajor() asks containerd's binary only when nothing cheaper decides", () => {
  assert(needsMajor({ params: false, maxShimVersion: true }, undefined));
  assert(!needsMajor({ params: true, maxShimVersion: true }, undefined));
  assert(!needsMajor({ params: false, maxShimVersion: false }, undefined));
  assert(!needsMajor({ params: false, maxShimVersion: true }, 3));
});

Deno.test("forcedVersion() takes 2 and 3 and refuses anything else", () => {
  assertEquals(forcedVersion(undefined), undefined);
  assertEquals(forcedVersion(""), undefined);
  assertEquals(forcedVersion("2"), 2);
  assertEquals(forcedVersion("3"), 3);
  assertThrows(() => forcedVersion("4"), ShimError, "LCOW_BOOTSTRAP_VERSION");
});

Deno.test("encodeAnswer() writes the address alone for containerd 1.6", async () => {
  const bytes = await encodeAnswer(plain, "unix:///run/a.sock");
  assertEquals(new TextDecoder().decode(bytes), "unix:///run/a.sock");
});

Deno.test("encodeAnswer() writes JSON with version, address and protocol", async () => {
  const address = "\\\\.\\pipe\\x";
  const text = new TextDecoder().decode(await encodeAnswer(json3, address));
  assertEquals(JSON.parse(text), { version: 3, address, protocol: "ttrpc" });
  assert(text.startsWith('{"version":3,'));
});

Deno.test("encodeAnswer() writes a BootstrapResult, which starts with field 1", async () => {
  const bytes = await encodeAnswer(protobuf, "unix:///a");
  assertEquals(bytes[0], 0x08);
  const { version, address, protocol } = BootstrapResult.decode(bytes);
  assertEquals([version, address, protocol], [3, "unix:///a", "ttrpc"]);
});
