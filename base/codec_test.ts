import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  boolean,
  type Codec,
  int32,
  int64,
  json,
  number,
  string,
  uint16,
  uint32,
  uint64,
  uint8,
} from "./codec.ts";
import {
  always,
  filled,
  jsonText,
  list,
  map,
  nullable,
  object,
  oneOf,
  whenSet,
} from "./codec_shapes.ts";
import { ShimError } from "./errors.ts";
import type { Json } from "./json.ts";

interface Disk {
  Lun: number;
  Size?: bigint;
  Path?: string;
  Kind?: string;
  Tags?: string[];
  Labels?: Record<string, string>;
  Enabled?: boolean;
}

const Disk = object<Disk>("Disk", {
  Lun: always(uint8),
  Size: filled(uint64),
  Path: filled(string),
  Kind: filled(oneOf("VirtualDisk", "PassThru")),
  Tags: filled(list(string)),
  Labels: filled(map(string)),
  Enabled: whenSet(boolean),
});

interface Request {
  Settings?: Disk;
  Disks?: Disk[];
  ByName?: Record<string, Disk>;
}

const Request = object<Request>("Request", {
  Settings: filled(Disk),
  Disks: filled(list(Disk)),
  ByName: filled(map(Disk)),
});

const Open = object<{ known?: Disk; limit?: bigint; gone?: string[] | null }>(
  "Open",
  {
    known: whenSet(Disk),
    limit: whenSet(uint64),
    gone: whenSet(nullable(list(string))),
  },
  { open: true },
);

function rejects(run: () => unknown, message: string): void {
  const error = assertThrows(run, ShimError, message);
  assertEquals(error.message, message);
  assertEquals(error.code, "InvalidArgument");
}

Deno.test("decode() ignores unknown members and reads the exact spelling", () => {
  const value = Disk.decode({ Lun: 3, Path: "a", Surprise: [1] });
  assertEquals(value, { Lun: 3, Path: "a" });
});

Deno.test("decode() ignores the case where the exact spelling is absent", () => {
  assertEquals(Disk.decode({ lun: 3, PATH: "a" }), { Lun: 3, Path: "a" });
  assertEquals(Disk.decode({ lun: 1, Lun: 2 }), { Lun: 2 });
  assertEquals(Disk.decode({ Lun: 2, lun: 1 }), { Lun: 2 });
});

Deno.test("decode() takes null and absence for the zero value", () => {
  assertEquals(Disk.decode({}), { Lun: 0 });
  assertEquals(Disk.decode({ Lun: null, Path: null, Tags: null }), { Lun: 0 });
  assertEquals(Disk.decode(null), { Lun: 0 });
  assertEquals(Request.decode({ Settings: null }), {});
});

Deno.test("decode() names the path of the bad member, and what it got", () => {
  const cases: [Json, string][] = [
    [{ Settings: { Lun: 300 } }, "$.Settings.Lun: expected uint8, got 300"],
    [{ Settings: { Lun: -1 } }, "$.Settings.Lun: expected uint8, got -1"],
    [{ Settings: { Lun: 1.5 } }, "$.Settings.Lun: expected uint8, got 1.5"],
    [{ Settings: { lun: "1" } }, '$.Settings.lun: expected uint8, got "1"'],
    [{ Settings: [] }, "$.Settings: expected object, got a list"],
    [{ Disks: {} }, "$.Disks: expected list, got an object"],
    [
      { Disks: [{ Lun: 0 }, { Tags: [true] }] },
      "$.Disks[1].Tags[0]: expected string, got true",
    ],
    [
      { ByName: { "a b": { Path: 1 } } },
      '$.ByName["a b"].Path: expected string, got 1',
    ],
    [
      { Settings: { Size: 18446744073709552000 } },
      "$.Settings.Size: expected uint64, got 18446744073709552000",
    ],
    ["text", '$: expected object, got "text"'],
  ];
  for (const [json, message] of cases) {
    rejects(() => Request.decode(json), message);
  }
  rejects(
    () => Disk.decode({ Lun: "x" }, "$.Request.Settings"),
    '$.Request.Settings.Lun: expected uint8, got "x"',
  );
});

Deno.test("parse() rejects text that is not JSON and names the type", () => {
  assertThrows(() => Disk.parse("{"), ShimError, "Cannot parse Disk");
});

Deno.test("integers accept exactly their range", () => {
  const ranges: [Codec<number> | Codec<bigint>, bigint, bigint][] = [
    [uint8, 0n, 255n],
    [uint16, 0n, 65535n],
    [uint32, 0n, 4294967295n],
    [int32, -2147483648n, 2147483647n],
    [int64, -(2n ** 63n), 2n ** 63n - 1n],
    [uint64, 0n, 2n ** 64n - 1n],
  ];
  for (const [codec, low, high] of ranges) {
    for (const good of [low, high]) {
      assertEquals(codec.format(codec.parse(`${good}`) as never), `${good}`);
    }
    for (const bad of [low - 1n, high + 1n]) {
      assertThrows(() => codec.parse(`${bad}`), ShimError, codec.name);
    }
    assertThrows(() => codec.parse("0.5"), ShimError, codec.name);
    assertThrows(() => codec.parse("1e300"), ShimError, codec.name);
  }
});

Deno.test("64-bit members keep every digit from text to text", () => {
  const text = '{"Lun":1,"Size":18446744073709551615}';
  assertEquals(Disk.parse(text).Size, 18446744073709551615n);
  assertEquals(Disk.format(Disk.parse(text)), text);
  fc.assert(fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (Size) => {
    const value = Disk.parse(`{"Size":${Size}}`);
    assertEquals(value.Size ?? 0n, Size);
  }));
  assertEquals(number.parse("9007199254740993"), 9007199254740992);
});

Deno.test("encode() leaves out empty members, but not always-members and not what was set on purpose", () => {
  assertEquals(
    Disk.encode({ Lun: 0, Size: 0n, Path: "", Tags: [], Labels: {} }),
    { Lun: 0 },
  );
  assertEquals(Disk.encode({ Lun: 1, Enabled: false }), {
    Lun: 1,
    Enabled: false,
  });
  assertEquals(Request.encode({ Settings: { Lun: 0 } }), {
    Settings: { Lun: 0 },
  });
});

Deno.test("encode() refuses an integer that does not fit", () => {
  rejects(() => Disk.encode({ Lun: 256 }), "$.Lun: expected uint8, got 256");
  rejects(
    () => Request.encode({ Disks: [{ Lun: NaN }] }),
    "$.Disks[0].Lun: expected uint8, got NaN",
  );
});

Deno.test("validate() refuses unknown, misspelt, missing and foreign words", () => {
  assertEquals(Disk.validate({ Lun: 1, Kind: "PassThru" }), {
    Lun: 1,
    Kind: "PassThru",
  });
  rejects(
    () => Request.validate({ Settings: { Lun: 1, Speed: 2 } }),
    '$.Settings.Speed: Disk has no member "Speed"',
  );
  rejects(
    () => Disk.validate({ lun: 1 }),
    '$.lun: Disk has no member "lun"',
  );
  rejects(
    () => Disk.validate({}),
    "$.Lun: required member of Disk is missing",
  );
  rejects(
    () => Disk.validate({ Lun: 1, Kind: "Floppy" }),
    '$.Kind: expected one of "VirtualDisk", "PassThru", got "Floppy"',
  );
  rejects(
    () => Disk.validate({ Lun: 1, Path: null }),
    "$.Path: expected string, got null",
  );
  assertEquals(Disk.decode({ Lun: 1, Kind: "Floppy" }).Kind, "Floppy");
});

Deno.test("open messages keep unknown members and null where null is a value", () => {
  const text =
    '{"limit":0,"gone":null,"other":{"deep":[18446744073709551615,null]}}';
  assertEquals(Open.format(Open.parse(text)), text);
  assertEquals(Open.encode(Open.validate({ x: 1 })), { x: 1 });
  rejects(
    () => Open.validate({ known: { Lun: 1, x: 1 } }),
    '$.known.x: Disk has no member "x"',
  );
});

Deno.test("jsonText() keeps text, and looks inside only when strict", () => {
  const codec = jsonText(() => Disk);
  assertEquals(codec.decode("{"), "{");
  assertEquals(codec.validate('{"Lun":1}'), '{"Lun":1}');
  assertEquals(codec.validate(""), "");
  rejects(
    () => codec.validate('{"Lun":999}', "$.Config"),
    "$.Config:$.Lun: expected uint8, got 999",
  );
});

Deno.test("a member named __proto__ stays data", () => {
  const value = map(json).parse('{"__proto__":{"polluted":true}}');
  assertEquals(Object.keys(value), ["__proto__"]);
  assertEquals((value as { polluted?: boolean }).polluted, undefined);
  const text = '{"__proto__":{"polluted":true}}';
  assertEquals(map(json).format(value), text);
  assertEquals(Open.format(Open.parse(text)), text);
});

Deno.test("decode() of any JSON gives a value or an InvalidArgument, never another error", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    try {
      Request.decode(value as Json);
    } catch (error) {
      assertEquals((error as ShimError).code, "InvalidArgument");
    }
  }));
});
