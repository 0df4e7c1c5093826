import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import protobuf from "protobufjs";
import type { MessageType } from "./message.ts";

type Value = Record<string, unknown>;

/** Every .proto file below a folder. */
function* protos(folder: URL): Iterable<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* protos(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

function reflection(): protobuf.Root {
  const root = new protobuf.Root();
  const folder = new URL("../schema/proto/", import.meta.url);
  for (const file of protos(folder)) {
    protobuf.parse(Deno.readTextFileSync(file), root, { keepCase: true });
  }
  root.resolveAll();
  return root;
}

async function messageTypes(): Promise<MessageType<Value>[]> {
  const folder = new URL("./api/", import.meta.url);
  const types: MessageType<Value>[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const module = await import(`./api/${name}`);
    types.push(
      ...Object.values(module).filter((value) =>
        typeof value === "object" && value !== null && "typeName" in value
      ) as MessageType<Value>[],
    );
  }
  return types;
}

function memberName(field: protobuf.Field): string {
  return field.name.replace(
    /_([a-z0-9])/g,
    (_, letter) => letter.toUpperCase(),
  );
}

const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: fc.string({ unit: "grapheme", maxLength: 5 }),
  bool: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 5 }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 0xffffffff }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
};

/** Any value of a message, in our form. */
function anyMessage(type: protobuf.Type): fc.Arbitrary<Value> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  const required: string[] = [];
  const chosen = new Set<protobuf.OneOf>();
  for (const field of type.fieldsArray) {
    const optional = field.options?.proto3_optional === true;
    if (field.partOf && !optional) {
      if (chosen.has(field.partOf)) continue; // one member of a oneof is enough
      chosen.add(field.partOf);
    }
    const resolved = field.resolvedType;
    const one = resolved instanceof protobuf.Type
      ? anyMessage(resolved)
      : scalars[resolved ? "int32" : field.type];
    assert(one, field.fullName);
    const name = memberName(field);
    if (field.map) {
      members[name] = fc.dictionary(fc.string({ maxLength: 3 }), one, {
        maxKeys: 2,
        noNullPrototype: true,
      });
    } else {
      members[name] = field.repeated ? fc.array(one, { maxLength: 2 }) : one;
    }
    const single = !field.repeated && !field.map;
    if (!(single && (resolved instanceof protobuf.Type || optional))) {
      required.push(name);
    }
  }
  return fc.record(members, { requiredKeys: required, noNullPrototype: true });
}

/** The same value in the form of protobufjs, zero scalars left out. */
function theirs(type: protobuf.Type, value: Value): Value {
  const result: Value = {};
  const convert = (field: protobuf.Field, item: unknown): unknown =>
    field.resolvedType instanceof protobuf.Type
      ? theirs(field.resolvedType, item as Value)
      : typeof item === "bigint"
      ? String(item)
      : item;
  for (const field of type.fieldsArray) {
    const item = value[memberName(field)];
    const zero = !item || (item instanceof Uint8Array && item.length === 0);
    if (zero && field.options?.proto3_optional !== true) continue;
    if (item === undefined) continue;
    result[field.name] = Array.isArray(item)
      ? item.map((entry) => convert(field, entry))
      : convert(field, item);
  }
  return result;
}

Deno.test("every message means the same to the reflection of protobufjs", async () => {
  const root = reflection();
  const types = await messageTypes();
  assert(types.length > 100);
  for (const ours of types) {
    const type = root.lookupType(ours.typeName);
    fc.assert(
      fc.property(anyMessage(type), (value) => {
        const plain = type.fromObject(theirs(type, value));
        const bytes = type.encode(plain).finish();
        assertEquals(ours.decode(bytes), value, ours.typeName);
        const again = type.encode(type.decode(ours.encode(value))).finish();
        assertEquals(again.toHex(), bytes.toHex(), ours.typeName);
      }),
      { numRuns: 8 },
    );
  }
});

Deno.test("mutilated messages give a value or an InvalidArgument", async () => {
  for (const ours of await messageTypes()) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          ours.decode(bytes);
        } catch (error) {
          assertEquals((error as { code?: string }).code, "InvalidArgument");
        }
      }),
      { numRuns: 20 },
    );
  }
});
