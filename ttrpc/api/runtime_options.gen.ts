/**
 * Runtime options as containerd hands them to foreign shims. Generated from
 * `schema/proto/runtimeoptions/v1/api.proto` by `deno task codegen`; do not
 * edit.
 *
 * @module
 */

import { message, type MessageType } from "../message.ts";
import { skipField } from "../wire.ts";

/**
 * Runtime options of containerd for runtime types that it does not know; the
 * real ones are TOML in config_body.
 */
export interface Options {
  typeUrl: string;
  configPath: string;
  configBody: Uint8Array;
}

/** Codec of {@linkcode Options}. */
export const Options: MessageType<Options> = message(
  "runtimeoptions.v1.Options",
  {
    write(value, writer) {
      if (value.typeUrl) writer.uint32(10).string(value.typeUrl);
      if (value.configPath) writer.uint32(18).string(value.configPath);
      if (value.configBody?.length) writer.uint32(26).bytes(value.configBody);
    },
    read(reader) {
      const value: Options = {
        typeUrl: "",
        configPath: "",
        configBody: new Uint8Array(),
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.typeUrl = reader.string();
            break;
          case 18:
            value.configPath = reader.string();
            break;
          case 26:
            value.configBody = reader.bytes();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);
