/**
 * What runc's shim tells of processes. Generated from
 * `schema/proto/containerd/runc/v1/oci.proto` by `deno task codegen`; do not
 * edit.
 *
 * @module
 */

import { message, type MessageType } from "../message.ts";
import { skipField } from "../wire.ts";

/** A process in `ProcessInfo.info`, in the form that clients on Linux know. */
export interface ProcessDetails {
  /** Empty for init. */
  execId: string;
}

/** Codec of {@linkcode ProcessDetails}. */
export const ProcessDetails: MessageType<ProcessDetails> = message(
  "containerd.runc.v1.ProcessDetails",
  {
    write(value, writer) {
      if (value.execId) writer.uint32(10).string(value.execId);
    },
    read(reader) {
      const value: ProcessDetails = { execId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.execId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);
