import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { Any } from "../ttrpc/api/any.gen.ts";
import { BootstrapParams } from "../ttrpc/api/bootstrap.gen.ts";
import { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import { messageName, parseBootstrap } from "./bootstrap.ts";

const me = { id: "pod1", namespace: "k8s.io" };
const options = {
  typeUrl: Options.typeName,
  value: Options.encode({ vmProcessorCount: 3 }),
};

Deno.test("parseBootstrap() takes parameters that name this instance", () => {
  const input = BootstrapParams.encode({
    instanceId: "pod1",
    namespace: "k8s.io",
    logLevel: -4,
    containerdTtrpcAddress: "/run/c.sock.ttrpc",
    extensions: [
      { value: { typeUrl: "some.other.Type", value: new Uint8Array() } },
      { value: options },
    ],
  });
  assertEquals(parseBootstrap(input, me), {
    form: "params",
    logLevel: "debug",
    ttrpcAddress: "/run/c.sock.ttrpc",
    options,
  });
});

Deno.test("parseBootstrap() takes packed options, although they decode as parameters too", () => {
  assertEquals(parseBootstrap(Any.encode(options), me), {
    form: "options",
    options,
  });
});

Deno.test("parseBootstrap() takes empty input", () => {
  assertEquals(parseBootstrap(new Uint8Array(), me), { form: "empty" });
});

Deno.test("parseBootstrap() refuses parameters of another instance", () => {
  const input = BootstrapParams.encode({ instanceId: "pod2", namespace: "x" });
  assertThrows(() => parseBootstrap(input, me), ShimError, "pod1");
});

Deno.test.each([
  ["text", new TextEncoder().encode("garbage")],
  ["zeros", new Uint8Array(64)],
  ["a cut message", Any.encode(options).subarray(0, 9)],
])(
  "parseBootstrap() refuses %s in one line",
  (_name: string, input: Uint8Array) => {
    const error = assertThrows(
      () => parseBootstrap(input, me),
      ShimError,
    ) as ShimError;
    assertEquals(error.code, "InvalidArgument");
    assertEquals(error.message.includes("\n"), false);
  },
);

Deno.test("messageName() drops the host of a type URL", () => {
  assertEquals(messageName("types.containerd.io/a.b.Options"), "a.b.Options");
  assertEquals(messageName("a.b.Options"), "a.b.Options");
});
