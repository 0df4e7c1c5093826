/**
 * Writes the TypeScript of protobuf messages and services: per message an
 * interface and straight-line code that writes and reads its fields.
 *
 * @module
 */

import protobuf from "protobufjs";
import {
  type CodeBlockWriter,
  type ImportSpecifierStructure,
  type Project,
  type SourceFile,
  StructureKind,
  VariableDeclarationKind,
} from "ts-morph";
import { type FieldText, fieldText } from "./proto_fields.ts";
import { type ProtoFile, readProtos } from "./proto_schema.ts";
import { banner, docs, spaced } from "./text.ts";

/** One generated file of protobuf messages. */
export interface ProtoTarget {
  /** The file to write, beside the others. */
  readonly output: string;
  /** The .proto files that go into it. */
  readonly protos: readonly string[];
  /** What the module is. */
  readonly about: string;
}

/** All generated files of protobuf messages. */
export interface ProtoTargets {
  /** Folder of the .proto files. */
  readonly schemas: string;
  /** Folder of the generated files; the run time is one folder up. */
  readonly folder: string;
  /** Names in TypeScript where the last part of the full name will not do. */
  readonly names: ReadonlyMap<string, string>;
  /** The files. */
  readonly files: readonly ProtoTarget[];
}

interface Context {
  readonly targets: ProtoTargets;
  readonly target: ProtoTarget;
  readonly protos: ReadonlyMap<string, ProtoFile>;
  /** Generated file of each .proto file. */
  readonly outputs: ReadonlyMap<string, string>;
}

type Named = protobuf.Type | protobuf.Enum | protobuf.Service;

/** Full name without the leading dot. */
function fullName(named: Named): string {
  return named.fullName.replace(/^\./, "");
}

function tsName(named: Named, names: ReadonlyMap<string, string>): string {
  const given = names.get(fullName(named));
  if (given !== undefined) return given;
  const parent = named.parent instanceof protobuf.Type ? named.parent.name : "";
  return parent + named.name;
}

function addImports(
  file: SourceFile,
  used: Iterable<protobuf.Type | protobuf.Enum>,
  helpers: ReadonlySet<string>,
  runtime: readonly (string | { name: string; isTypeOnly: true })[],
  { target, targets, outputs }: Context,
): void {
  const imports = new Map<string, ImportSpecifierStructure[]>();
  for (const type of used) {
    const output = outputs.get(type.filename ?? "");
    if (output === undefined) {
      throw new Error(`${type.fullName} is in no generated file`);
    }
    if (output === target.output) continue;
    const names = imports.get(output) ?? [];
    names.push({
      kind: StructureKind.ImportSpecifier,
      name: tsName(type, targets.names),
      isTypeOnly: type instanceof protobuf.Enum,
    });
    imports.set(output, names);
  }
  for (const [output, names] of [...imports].sort()) {
    file.addImportDeclaration({
      moduleSpecifier: `./${output}`,
      namedImports: names.sort((a, b) => a.name < b.name ? -1 : 1),
    });
  }
  if (runtime.length > 0) {
    file.addImportDeclaration({
      moduleSpecifier: "../message.ts",
      namedImports: [...runtime],
    });
  }
  if (helpers.size > 0) {
    file.addImportDeclaration({
      moduleSpecifier: "../wire.ts",
      namedImports: [...helpers].sort(),
    });
  }
}

function addEnum(file: SourceFile, type: protobuf.Enum, name: string): void {
  const about = type.comment ?? fullName(type);
  file.addVariableStatement({
    isExported: true,
    declarationKind: VariableDeclarationKind.Const,
    docs: [docs(about)],
    declarations: [{
      name,
      initializer: (writer) => {
        writer.inlineBlock(() => {
          for (const [key, value] of Object.entries(type.values)) {
            const comment = type.comments[key];
            if (comment) writer.writeLine(`/** ${comment} */`);
            writer.writeLine(`${key}: ${value},`);
          }
        }).write(" as const");
      },
    }],
  });
  file.addTypeAlias({
    name,
    type: "number",
    isExported: true,
    docs: [docs(`${about} Unknown numbers are kept.`)],
  });
}

function writeRules(
  writer: CodeBlockWriter,
  name: string,
  fields: readonly FieldText[],
): void {
  const parameters = fields.length === 0 ? "" : "value, writer";
  writer.write(`write(${parameters})`).block(() => {
    for (const field of fields) writer.writeLine(field.write);
  }).write(",").newLine();
  writer.write("read(reader)").block(() => {
    const zeros = fields.filter((field) => field.zero !== undefined);
    const members = zeros.map(({ name, zero }) => `${name}: ${zero}`);
    writer.writeLine(`const value: ${name} = { ${members.join(", ")} };`);
    writer.write("while (reader.pos < reader.len)").block(() => {
      writer.writeLine("const tag = reader.uint32();");
      if (fields.length === 0) {
        writer.writeLine("skipField(reader, tag);");
        return;
      }
      writer.write("switch (tag)").block(() => {
        for (const { tag, statement } of fields.flatMap(({ read }) => read)) {
          writer.writeLine(`case ${tag}:`);
          writer.indent(() => {
            writer.writeLine(statement);
            writer.writeLine("break;");
          });
        }
        writer.writeLine("default:");
        writer.indent(() => writer.writeLine("skipField(reader, tag);"));
      });
    });
    writer.writeLine("return value;");
  }).write(",").newLine();
}

function addMessage(
  file: SourceFile,
  type: protobuf.Type,
  name: string,
  fields: readonly FieldText[],
): void {
  const about = [docs(type.comment ?? fullName(type))];
  if (fields.length === 0) {
    const nothing = "Record<never, never>";
    file.addTypeAlias({ name, type: nothing, isExported: true, docs: about });
  } else {file.addInterface({
      name,
      isExported: true,
      docs: about,
      properties: fields.map((field) => ({
        name: field.name,
        type: field.type,
        hasQuestionToken: field.zero === undefined,
        docs: field.docs === "" ? [] : [docs(field.docs)],
      })),
    });}
  file.addVariableStatement({
    isExported: true,
    declarationKind: VariableDeclarationKind.Const,
    docs: [docs(`Codec of {@linkcode ${name}}.`)],
    declarations: [{
      name,
      type: `MessageType<${name}>`,
      initializer: (writer) => {
        writer.write(`message("${fullName(type)}", `).inlineBlock(() =>
          writeRules(writer, name, fields)
        ).write(")");
      },
    }],
  });
}

function addService(
  file: SourceFile,
  service: protobuf.Service,
  names: ReadonlyMap<string, string>,
): void {
  const typeOf = (type: protobuf.Type | null): string =>
    tsName(type as protobuf.Type, names);
  const methods = service.methodsArray.map((method) => ({
    name: method.name,
    kind: method.responseStream ? "serverStream" : "method",
    request: typeOf(method.resolvedRequestType),
    response: typeOf(method.resolvedResponseType),
  }));
  file.addVariableStatement({
    isExported: true,
    declarationKind: VariableDeclarationKind.Const,
    docs: [
      docs(`${service.comment ?? ""} Service \`${fullName(service)}\`.`.trim()),
    ],
    declarations: [{
      name: tsName(service, names),
      initializer: (writer) => {
        writer.write(`service("${fullName(service)}", `).inlineBlock(() => {
          for (const { name, kind, request, response } of methods) {
            writer.writeLine(`${name}: ${kind}(${request}, ${response}),`);
          }
        }).write(")");
      },
    }],
  });
}

function protoSource(project: Project, context: Context): string {
  const { target, targets, protos } = context;
  const file = project.createSourceFile(`/${targets.folder}/${target.output}`);
  const used = new Set<protobuf.Type | protobuf.Enum>();
  const helpers = new Set<string>();
  const parts = target.protos.map((path) => {
    const proto = protos.get(path);
    if (proto === undefined) throw new Error(`There is no ${path}`);
    return proto;
  });
  const nameOf = (type: protobuf.Type | protobuf.Enum): string => {
    used.add(type);
    return tsName(type, targets.names);
  };
  const types = parts.flatMap((part) => [...part.types]);
  const services = parts.flatMap((part) => [...part.services]);
  for (const type of types) {
    const name = tsName(type, targets.names);
    if (type instanceof protobuf.Enum) addEnum(file, type, name);
    else {
      const fields = type.fieldsArray.map((field) => fieldText(field, nameOf));
      for (const field of fields) field.uses.forEach((use) => helpers.add(use));
      helpers.add("skipField");
      addMessage(file, type, name, fields);
    }
  }
  const methods = services.flatMap((service) => service.methodsArray);
  for (const method of methods) {
    for (
      const type of [method.resolvedRequestType, method.resolvedResponseType]
    ) if (type) used.add(type);
  }
  for (const service of services) addService(file, service, targets.names);
  const streams = methods.some((method) => method.responseStream);
  const unary = methods.some((method) => !method.responseStream);
  const messages = types.some((type) => type instanceof protobuf.Type);
  const typeOnly = { name: "MessageType", isTypeOnly: true as const };
  addImports(file, used, helpers, [
    ...(messages ? ["message", typeOnly] : []),
    ...(unary ? ["method"] : []),
    ...(streams ? ["serverStream"] : []),
    ...(services.length > 0 ? ["service"] : []),
  ], context);
  return banner(
    target.protos.map((path) => `${targets.schemas}/${path}`),
    target.about,
  ) + spaced(file.getFullText());
}

/**
 * Generates every file of protobuf messages.
 *
 * @returns Texts by paths relative to the repository.
 */
export function protoSources(
  project: Project,
  root: URL,
  targets: ProtoTargets,
): Map<string, string> {
  const protos = readProtos(new URL(`${targets.schemas}/`, root)).files;
  const outputs = new Map(
    targets.files.flatMap(({ output, protos }) =>
      protos.map((path) => [path, output] as const)
    ),
  );
  const forgotten = [...protos.keys()].filter((path) => !outputs.has(path));
  if (forgotten.length > 0) {
    throw new Error(`No file is generated from ${forgotten.join(", ")}`);
  }
  return new Map(
    targets.files.map((target) => [
      `${targets.folder}/${target.output}`,
      protoSource(project, { targets, target, protos, outputs }),
    ]),
  );
}
