/**
 * The answer of `start`, as bytes.
 *
 * @module
 */

import type { Answer } from "./dialect.ts";

/**
 * The bytes for standard output; nothing may be added to them.
 *
 * @param answer How to answer.
 * @param address Where the shim is served.
 */
export async function encodeAnswer(
  { form, version }: Answer,
  address: string,
): Promise<Uint8Array> {
  switch (form) {
    case "protobuf": {
      const { BootstrapResult } = await import(
        "../ttrpc/api/bootstrap.gen.ts"
      );
      return BootstrapResult.encode({ version, address, protocol: "ttrpc" });
    }
    case "json":
      return new TextEncoder().encode(
        JSON.stringify({ version, address, protocol: "ttrpc" }),
      );
    case "plain":
      return new TextEncoder().encode(address);
  }
}
