/**
 * The statements that write and read one field of a protobuf message.
 *
 * @module
 */

import protobuf from "protobufjs";

/** How one scalar type is written and read. */
interface Scalar {
  readonly type: string;
  readonly zero: string;
  readonly wireType: number;
  /** Condition under which proto3 writes it. */
  filled(value: string): string;
  /** Writes `value`; `writer` is an expression that yields the writer. */
  write(writer: string, value: string): string;
  readonly read: string;
  /** Helpers of `wire.ts` that it uses. */
  readonly uses: readonly string[];
}

const truthy = (value: string) => value;

function simple(
  name: string,
  type: string,
  zero: string,
  wireType: number,
): Scalar {
  return {
    type,
    zero,
    wireType,
    filled: truthy,
    write: (writer, value) => `${writer}.${name}(${value})`,
    read: `reader.${name}()`,
    uses: [],
  };
}

function wide(read: string): Scalar {
  return {
    type: "bigint",
    zero: "0n",
    wireType: 0,
    filled: truthy,
    write: (writer, value) => `writeInt64(${writer}, ${value})`,
    read: `${read}(reader)`,
    uses: ["writeInt64", read],
  };
}

const scalars = new Map<string, Scalar>([
  ["string", simple("string", "string", '""', 2)],
  ["bool", simple("bool", "boolean", "false", 0)],
  ["int32", simple("int32", "number", "0", 0)],
  ["uint32", simple("uint32", "number", "0", 0)],
  ["double", simple("double", "number", "0", 1)],
  ["int64", wide("readInt64")],
  ["uint64", wide("readUint64")],
  ["bytes", {
    ...simple("bytes", "Uint8Array", "new Uint8Array()", 2),
    filled: (value) => `${value}?.length`,
  }],
]);

/** One field in TypeScript. */
export interface FieldText {
  /** Name of the member. */
  readonly name: string;
  /** Type of the member. */
  readonly type: string;
  /** What it means. */
  readonly docs: string;
  /** Value of an absent field; none for members that may be absent. */
  readonly zero: string | undefined;
  /** Statement that writes it. */
  readonly write: string;
  /** Cases that read it: tag, comment, statement. */
  readonly read: readonly { tag: number; statement: string }[];
  /** Helpers of `wire.ts` that it uses. */
  readonly uses: readonly string[];
}

/** Lower camel case; names that are not snake case stay as they are. */
export function memberName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

function messageField(
  field: protobuf.Field,
  type: string,
  name: string,
): Omit<FieldText, "name" | "docs"> {
  const tag = field.id << 3 | 2;
  const uses = ["readMessage", "writeMessage"];
  if (field.repeated) {
    return {
      type: `${type}[]`,
      zero: "[]",
      write: `for (const item of value.${name} ?? []) {
        writeMessage(writer, ${tag}, ${type}, item);
      }`,
      read: [{
        tag,
        statement: `value.${name}.push(readMessage(reader, ${type}));`,
      }],
      uses,
    };
  }
  const others = (field.partOf?.fieldsArray ?? []).filter((other) =>
    other !== field
  );
  return {
    type,
    zero: undefined,
    write:
      `if (value.${name}) writeMessage(writer, ${tag}, ${type}, value.${name});`,
    read: [{
      tag,
      statement: [
        `value.${name} = readMessage(reader, ${type});`,
        ...others.map((other) => `delete value.${memberName(other.name)};`),
      ].join("\n"),
    }],
    uses,
  };
}

function mapField(
  field: protobuf.MapField,
  name: string,
): Omit<FieldText, "name" | "docs"> {
  if (field.keyType !== "string" || field.type !== "string") {
    throw new Error(
      `${field.fullName}: only map<string, string> is understood`,
    );
  }
  const tag = field.id << 3 | 2;
  return {
    type: "Record<string, string>",
    zero: "{}",
    write: `writeStringMap(writer, ${tag}, value.${name});`,
    read: [{ tag, statement: `readStringEntry(reader, value.${name});` }],
    uses: ["readStringEntry", "writeStringMap"],
  };
}

function scalarField(
  field: protobuf.Field,
  scalar: Scalar,
  type: string,
  name: string,
): Omit<FieldText, "name" | "docs"> {
  const tag = field.id << 3 | scalar.wireType;
  const written = (value: string) =>
    scalar.write(`writer.uint32(${tag})`, value) + ";";
  if (!field.repeated) {
    const optional = field.options?.proto3_optional === true;
    return {
      type,
      zero: optional ? undefined : scalar.zero,
      write: `if (${
        optional
          ? `value.${name} !== undefined`
          : scalar.filled(`value.${name}`)
      }) ${written(`value.${name}`)}`,
      read: [{ tag, statement: `value.${name} = ${scalar.read};` }],
      uses: scalar.uses,
    };
  }
  const one = `value.${name}.push(${scalar.read});`;
  if (scalar.wireType === 2) {
    return {
      type: `${type}[]`,
      zero: "[]",
      write: `for (const item of value.${name} ?? []) ${written("item")}`,
      read: [{ tag, statement: one }],
      uses: scalar.uses,
    };
  }
  const packed = field.id << 3 | 2;
  const write = scalar.write("writer", "item");
  return {
    type: `${type}[]`,
    zero: "[]",
    write: `writePacked(writer, ${packed}, value.${name}, (writer, item) => {
      ${write};
    });`,
    read: [
      {
        tag: packed,
        statement:
          `readPacked(reader, value.${name}, (reader) => ${scalar.read});`,
      },
      { tag, statement: one },
    ],
    uses: ["readPacked", "writePacked", ...scalar.uses],
  };
}

/**
 * Describes one field.
 *
 * @param field The field as it was parsed.
 * @param typeName Gives a message or enumeration its name in TypeScript.
 */
export function fieldText(
  field: protobuf.Field,
  typeName: (type: protobuf.Type | protobuf.Enum) => string,
): FieldText {
  const name = memberName(field.name);
  const docs = field.comment ?? "";
  const resolved = field.resolvedType;
  if (field instanceof protobuf.MapField) {
    return { name, docs, ...mapField(field, name) };
  }
  if (resolved instanceof protobuf.Type) {
    return { name, docs, ...messageField(field, typeName(resolved), name) };
  }
  const scalar = scalars.get(
    resolved instanceof protobuf.Enum ? "int32" : field.type,
  );
  if (scalar === undefined) {
    throw new Error(`${field.fullName}: type ${field.type} is not understood`);
  }
  const type = resolved === null ? scalar.type : typeName(resolved);
  return { name, docs, ...scalarField(field, scalar, type, name) };
}
