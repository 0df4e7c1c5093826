/**
 * `-info`: what this runtime is, for containerd.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { Any } from "../ttrpc/api/any.gen.ts";
import { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import { RuntimeInfo } from "../ttrpc/api/runtime_info.gen.ts";
import { shimName } from "./args.ts";
import { unpackOptions } from "./options.ts";
import { readStandardInput } from "./stdin.ts";
import { shimVersion } from "./version.ts";

/**
 * The answer of `-info`.
 *
 * @param input Standard input: runtime options as an `Any`, or nothing.
 * @returns A `RuntimeInfo`; options of a type that is not ours are left out.
 * @throws {ShimError} InvalidArgument when the input is something else.
 */
export async function runtimeInfo(input: Uint8Array): Promise<Uint8Array> {
  const packed = input.length === 0 ? undefined : Any.decode(input);
  if (packed?.typeUrl === "") {
    throw new ShimError(
      "InvalidArgument",
      "Cannot read standard input: it is not a packed message of runtime options",
    );
  }
  const options = await unpackOptions(packed);
  return RuntimeInfo.encode({
    name: shimName,
    version: { version: shimVersion, revision: "" },
    ...(options === undefined ? {} : {
      options: { typeUrl: Options.typeName, value: Options.encode(options) },
    }),
  });
}

/** Answers `-info` from this process' standard input. */
export async function runInfo(): Promise<Uint8Array> {
  return await runtimeInfo(await readStandardInput());
}
