/**
 * Reads the JSON Schema files of one folder and turns every definition into a
 * message: names, TypeScript types and codec expressions.
 *
 * Beside the vocabulary of JSON Schema 2020-12, members know
 * - `x-json-text`: a string that holds the JSON text of the named type;
 * - `x-keep`: written whenever it is set, even when it is empty.
 *
 * Members in `required` are always written, and always there after reading.
 *
 * @module
 */

/** The part of JSON Schema that our schema files use. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly "x-json-text"?: string;
  readonly "x-keep"?: boolean;
}

/** A schema type in TypeScript. */
export interface TypeText {
  /** Type of a value. */
  readonly type: string;
  /** Expression of its codec. */
  readonly codec: string;
  /** Combinators that the expression uses. */
  readonly uses: readonly string[];
  /** Messages that must be defined before. */
  readonly after: readonly string[];
}

/** One member of a message. */
export interface MemberModel extends TypeText {
  /** Name on the wire and in TypeScript. */
  readonly name: string;
  /** What it means; never empty. */
  readonly docs: string;
  /** True when the type requires it. */
  readonly required: boolean;
  /** Combinator that says when it is written. */
  readonly emit: "always" | "filled" | "whenSet";
}

/** One message. */
export interface MessageModel {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly docs: string;
  /** Messages whose members it carries too. */
  readonly bases: readonly string[];
  /** Its own members. */
  readonly members: readonly MemberModel[];
  /** Unknown members are kept. */
  readonly open: boolean;
}

/** One schema file. */
export interface SchemaFile {
  /** What its messages are about. */
  readonly title: string;
  /** More of that. */
  readonly description: string;
  /** Its messages. */
  readonly messages: readonly MessageModel[];
}

const integers = new Map([
  ["int32", "number"],
  ["uint8", "number"],
  ["uint16", "number"],
  ["uint32", "number"],
  ["int64", "bigint"],
  ["uint64", "bigint"],
]);

function leaf(type: string, codec: string): TypeText {
  return { type, codec, uses: [codec], after: [] };
}

function wrapped(
  inner: TypeText,
  combinator: string,
  type: (inner: string) => string,
): TypeText {
  return {
    type: type(inner.type),
    codec: `${combinator}(${inner.codec})`,
    uses: [combinator, ...inner.uses],
    after: inner.after,
  };
}

/** The definition's name out of `file.json#/$defs/Name`. */
function nameOf(reference: string): string {
  const name = reference.split("#/$defs/")[1];
  if (name === undefined) throw new Error(`Cannot follow $ref "${reference}"`);
  return name;
}

function typeText(schema: Schema, where: string): TypeText {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref);
    return { type: name, codec: name, uses: [], after: [name] };
  }
  const text = schema["x-json-text"];
  if (text !== undefined) {
    return {
      type: "string",
      codec: `jsonText(() => ${nameOf(text)})`,
      uses: ["jsonText"],
      after: [],
    };
  }
  if (schema.enum !== undefined) {
    const words = schema.enum.map((word) => JSON.stringify(word)).join(", ");
    return { ...leaf("string", "oneOf"), codec: `oneOf(${words})` };
  }
  const choices = schema.anyOf ??
    (Array.isArray(schema.type)
      ? schema.type.map((type: string) => ({ ...schema, type }))
      : undefined);
  if (choices !== undefined) {
    const inner = choices.find((choice) => choice.type !== "null");
    if (choices.length !== 2 || inner === undefined) {
      throw new Error(`${where}: only "type or null" is understood`);
    }
    return wrapped(
      typeText(inner, where),
      "nullable",
      (type) => `${type} | null`,
    );
  }
  switch (schema.type) {
    case undefined:
      return leaf("Json", "json");
    case "null":
      return leaf("null", "nothing");
    case "string":
      return leaf("string", "string");
    case "boolean":
      return leaf("boolean", "boolean");
    case "number":
      return leaf("number", "number");
    case "integer": {
      const type = integers.get(schema.format ?? "");
      if (type === undefined) throw new Error(`${where}: integer of no width`);
      return leaf(type, schema.format as string);
    }
    case "array":
      return wrapped(
        typeText(schema.items ?? {}, `${where}[]`),
        "list",
        (type) => type.includes(" ") ? `(${type})[]` : `${type}[]`,
      );
    case "object":
      return typeof schema.additionalProperties === "object"
        ? wrapped(
          typeText(schema.additionalProperties, `${where}{}`),
          "map",
          (type) => `Record<string, ${type}>`,
        )
        : leaf("JsonObject", "jsonObject");
    default:
      throw new Error(`${where}: type "${schema.type}" is not understood`);
  }
}

function messageModel(name: string, schema: Schema): MessageModel {
  if (schema.description === undefined) {
    throw new Error(`${name} has no description`);
  }
  const members = Object.entries(schema.properties ?? {}).map(
    ([member, type]): MemberModel => {
      const required = schema.required?.includes(member) ?? false;
      const words = type.enum?.map((word) => `\`${word}\``).join(", ");
      const docs = [type.description, words && `One of ${words}.`]
        .filter((part) => part !== undefined).join(" ");
      if (docs === "") throw new Error(`${name}.${member} has no description`);
      return {
        ...typeText(type, `${name}.${member}`),
        name: member,
        docs,
        required,
        emit: required ? "always" : type["x-keep"] ? "whenSet" : "filled",
      };
    },
  );
  return {
    name,
    docs: schema.description,
    bases: (schema.allOf ?? []).map((base) => nameOf(base.$ref ?? "")),
    members,
    open: schema.additionalProperties === true,
  };
}

/** Orders messages so that each comes after those that it is made of. */
export function inOrder(messages: readonly MessageModel[]): MessageModel[] {
  const byName = new Map(messages.map((message) => [message.name, message]));
  const ordered = new Set<MessageModel>();
  const visit = (message: MessageModel, path: readonly string[]): void => {
    if (ordered.has(message)) return;
    if (path.includes(message.name)) {
      throw new Error(`${message.name} contains itself`);
    }
    const parts = message.members.flatMap((member) => member.after);
    for (const part of [...message.bases, ...parts]) {
      const found = byName.get(part);
      if (found === undefined) throw new Error(`There is no type "${part}"`);
      visit(found, [...path, message.name]);
    }
    ordered.add(message);
  };
  for (const message of messages) visit(message, []);
  return [...ordered];
}

/** Reads the schema files of a folder, in the order of their names. */
export function readSchemas(folder: URL): SchemaFile[] {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json")).sort();
  return names.map((name) => {
    const schema: Schema = JSON.parse(
      Deno.readTextFileSync(new URL(name, folder)),
    );
    return {
      title: schema.title ?? name,
      description: schema.description ?? "",
      messages: Object.entries(schema.$defs ?? {}).map(([type, definition]) =>
        messageModel(type, definition)
      ),
    };
  });
}
