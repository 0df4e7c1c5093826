/**
 * What containerd writes to the standard input of `start`: `BootstrapParams`
 * since 2.3, before that the runtime options as an `Any`, or nothing.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { Any } from "../ttrpc/api/any.gen.ts";
import { BootstrapParams } from "../ttrpc/api/bootstrap.gen.ts";

/** What standard input held. */
export interface Bootstrap {
  /** Which of the three forms it had. */
  readonly form: "params" | "options" | "empty";
  /** The runtime options, still packed; absent when there are none. */
  readonly options?: Any;
  /** Address of containerd's ttrpc endpoint, when the parameters name one. */
  readonly ttrpcAddress?: string;
  /** Level of the log, when the parameters name one. */
  readonly logLevel?: "trace" | "debug" | "info" | "warn" | "error";
}

/**
 * A name that can stand in a type URL. A type has a package, hence a dot: an
 * instance id of foreign parameters, which takes the same place on the wire, mostly has none.
 */
const typeUrl = /^[\w.\/-]+\.[\w.\/-]+$/;

function decoded<T>(
  type: { decode(bytes: Uint8Array): T },
  bytes: Uint8Array,
): T | undefined {
  try {
    return type.decode(bytes);
  } catch {
    // The next form is tried; the caller refuses what fits none.
    return undefined;
  }
}

/** Levels of the parameters count up in steps of 4 from trace = -8. */
function levelOf(
  level: number,
): "trace" | "debug" | "info" | "warn" | "error" {
  if (level <= -8) return "trace";
  if (level < 0) return "debug";
  if (level < 4) return "info";
  return level < 8 ? "warn" : "error";
}

/**
 * Reads the standard input of `start`.
 *
 * The two messages overlap on the wire (options mostly decode as parameters), so
 * parameters count only when they name this instance and namespace.
 *
 * @param input All bytes of standard input.
 * @param expected Id and namespace of the command line.
 * @throws {ShimError} InvalidArgument when it is none of the three.
 */
export function parseBootstrap(
  input: Uint8Array,
  expected: { readonly id: string; readonly namespace: string },
): Bootstrap {
  if (input.length === 0) return { form: "empty" };
  const params = decoded(BootstrapParams, input);
  if (
    params !== undefined && params.instanceId === expected.id &&
    params.namespace === expected.namespace
  ) {
    const packed = params.extensions.map(({ value }) => value).find((value) =>
      value !== undefined && isOptions(value.typeUrl)
    );
    return {
      form: "params",
      logLevel: levelOf(params.logLevel),
      ...(packed === undefined ? {} : { options: packed }),
      ...(params.containerdTtrpcAddress === ""
        ? {}
        : { ttrpcAddress: params.containerdTtrpcAddress }),
    };
  }
  const options = decoded(Any, input);
  if (options !== undefined && typeUrl.test(options.typeUrl)) {
    return { form: "options", options };
  }
  throw new ShimError(
    "InvalidArgument",
    `Cannot read the ${input.length} bytes on standard input: they are neither ` +
      `bootstrap parameters of "${expected.id}" in namespace ` +
      `"${expected.namespace}" nor runtime options`,
  );
}

/** The message name of a type URL: some clients put a host before it. */
export function messageName(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

function isOptions(url: string): boolean {
  const name = messageName(url);
  return name === "containerd.runhcs.v1.Options" ||
    name === "runtimeoptions.v1.Options";
}
