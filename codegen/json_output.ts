/**
 * Writes the TypeScript of JSON messages: per message an interface and a codec
 * that is a table of members.
 *
 * @module
 */

import {
  type Project,
  type SourceFile,
  VariableDeclarationKind,
} from "ts-morph";
import {
  inOrder,
  type MemberModel,
  type MessageModel,
  readSchemas,
} from "./json_schema.ts";
import { banner, docs, spaced } from "./text.ts";

/** One generated file of JSON messages. */
export interface JsonTarget {
  /** Folder of the schema files. */
  readonly schemas: string;
  /** The file to write. */
  readonly output: string;
  /** Path from the output to `base/`. */
  readonly base: string;
  /** What the module is. */
  readonly about: string;
}

/** Combinators of `codec.ts`; all others are in `codec_shapes.ts`. */
const scalars = new Set([
  "boolean",
  "int32",
  "int64",
  "json",
  "jsonObject",
  "nothing",
  "number",
  "string",
  "uint16",
  "uint32",
  "uint64",
  "uint8",
]);

const identifier = /^[A-Za-z_$][\w$]*$/;

function propertyName(name: string): string {
  return identifier.test(name) ? name : JSON.stringify(name);
}

function addImports(
  file: SourceFile,
  target: JsonTarget,
  messages: readonly MessageModel[],
): void {
  const members = messages.flatMap((message) => message.members);
  const uses = new Set(
    members.flatMap((member) => [member.emit, ...member.uses]),
  );
  uses.add("object");
  const sorted = [...uses].sort();
  const types = ["Json", "JsonObject"].filter((type) =>
    members.some((member) => new RegExp(`\\b${type}\\b`).test(member.type))
  );
  file.addImportDeclaration({
    moduleSpecifier: `${target.base}codec.ts`,
    namedImports: sorted.filter((name) => scalars.has(name)),
  });
  file.addImportDeclaration({
    moduleSpecifier: `${target.base}codec_shapes.ts`,
    namedImports: [
      ...sorted.filter((name) => !scalars.has(name)),
      { name: "ObjectCodec", isTypeOnly: true },
    ],
  });
  if (types.length > 0) {
    file.addImportDeclaration({
      moduleSpecifier: `${target.base}json.ts`,
      namedImports: types,
      isTypeOnly: true,
    });
  }
}

function memberLine(member: MemberModel): string {
  return `${propertyName(member.name)}: ${member.emit}(${member.codec}),`;
}

function addMessage(file: SourceFile, message: MessageModel): void {
  file.addInterface({
    name: message.name,
    isExported: true,
    extends: [...message.bases],
    docs: [docs(message.docs)],
    properties: message.members.map((member) => ({
      name: propertyName(member.name),
      type: member.type,
      hasQuestionToken: !member.required,
      docs: [docs(member.docs)],
    })),
  });
  file.addVariableStatement({
    isExported: true,
    declarationKind: VariableDeclarationKind.Const,
    docs: [docs(`Codec of {@linkcode ${message.name}}.`)],
    declarations: [{
      name: message.name,
      type: `ObjectCodec<${message.name}>`,
      initializer: (writer) => {
        writer.write(`object("${message.name}", `).inlineBlock(
          () => {
            for (const base of message.bases) {
              writer.writeLine(`...${base}.members,`);
            }
            for (const member of message.members) {
              writer.writeLine(memberLine(member));
            }
          },
        ).write(message.open ? ", { open: true })" : ")");
      },
    }],
  });
}

/** Generates one file of JSON messages. */
export function jsonSource(
  project: Project,
  root: URL,
  target: JsonTarget,
): string {
  const files = readSchemas(new URL(`${target.schemas}/`, root));
  const messages = inOrder(files.flatMap((schema) => [...schema.messages]));
  const file = project.createSourceFile(`/${target.output}`);
  addImports(file, target, messages);
  for (const message of messages) addMessage(file, message);
  return banner([target.schemas], target.about) +
    spaced(file.getFullText());
}
