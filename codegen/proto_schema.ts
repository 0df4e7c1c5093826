/**
 * Reads the .proto files with protobufjs' parser.
 *
 * @module
 */

import protobuf from "protobufjs";

/** The parser; its typings leave out where it takes the name of the file from. */
const parser = protobuf.parse as typeof protobuf.parse & {
  filename: string | null;
};

/** What one .proto file defines, in its order. */
export interface ProtoFile {
  /** Messages and enumerations, nested ones after their parents' names. */
  readonly types: readonly (protobuf.Type | protobuf.Enum)[];
  /** Services. */
  readonly services: readonly protobuf.Service[];
}

/** All .proto files, resolved against each other. */
export interface ProtoSchema {
  /** Files by their paths below the folder. */
  readonly files: ReadonlyMap<string, ProtoFile>;
}

function* protoFiles(folder: URL, prefix = ""): Iterable<string> {
  const entries = [...Deno.readDirSync(folder)];
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) {
      yield* protoFiles(new URL(`${name}/`, folder), `${prefix}${name}/`);
    } else if (name.endsWith(".proto")) yield `${prefix}${name}`;
  }
}

function collect(
  namespace: protobuf.NamespaceBase,
  path: string,
  file: {
    types: (protobuf.Type | protobuf.Enum)[];
    services: protobuf.Service[];
  },
): void {
  for (const entry of namespace.nestedArray) {
    const own = entry.filename === path;
    if (own && entry instanceof protobuf.Enum) file.types.push(entry);
    else if (own && entry instanceof protobuf.Service) {
      file.services.push(entry);
    } else if (entry instanceof protobuf.Type) {
      collect(entry, path, file);
      if (own) file.types.push(entry);
    } else if (entry instanceof protobuf.Namespace) collect(entry, path, file);
  }
}

/**
 * Reads every .proto file below a folder.
 *
 * @throws {Error} When one cannot be parsed or names an unknown type.
 */
export function readProtos(folder: URL): ProtoSchema {
  const root = new protobuf.Root();
  const paths = [...protoFiles(folder)];
  for (const path of paths) {
    parser.filename = path;
    parser(Deno.readTextFileSync(new URL(path, folder)), root, {
      keepCase: true,
      alternateCommentMode: true,
    });
  }
  parser.filename = null;
  root.resolveAll();
  const files = new Map<string, ProtoFile>();
  for (const path of paths) {
    const file = { types: [], services: [] };
    collect(root, path, file);
    files.set(path, file);
  }
  return { files };
}
