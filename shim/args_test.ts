import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { parseArguments } from "./args.ts";

Deno.test("parseArguments() reads what containerd sends for start", () => {
  assertEquals(
    parseArguments([
      ...["-namespace", "k8s.io", "-address", "/run/containerd.sock"],
      ...["-publish-binary", "/usr/bin/containerd", "-id", "pod1", "-debug"],
      "start",
    ]),
    {
      mode: "start",
      namespace: "k8s.io",
      id: "pod1",
      address: "/run/containerd.sock",
      publishBinary: "/usr/bin/containerd",
      bundle: "",
      socket: "",
      debug: true,
      command: [],
    },
  );
});

Deno.test("parseArguments() takes one dash or two, and values behind an equals sign", () => {
  const args = parseArguments([
    ...["--namespace=n", "-id=a=b", "--bundle", "C:\\b", "--debug=false"],
    "delete",
  ]);
  assertEquals(
    [args.mode, args.namespace, args.id, args.bundle, args.debug],
    ["delete", "n", "a=b", "C:\\b", false],
  );
});

Deno.test("parseArguments() lets -v win over -info, and both over the action and the missing namespace", () => {
  assertEquals(parseArguments(["-info", "-v", "start"]).mode, "version");
  assertEquals(parseArguments(["-version"]).mode, "version");
  assertEquals(parseArguments(["-info"]).mode, "info");
});

Deno.test("parseArguments() takes doctor without a namespace and an id", () => {
  const args = parseArguments(["doctor"]);
  assertEquals([args.mode, args.namespace, args.id], ["doctor", "", ""]);
});

Deno.test("parseArguments() leaves what follows lcow to it", () => {
  const args = parseArguments(["lcow", "ps", "--json", "-v", "--"]);
  assertEquals([args.mode, args.command], ["lcow", [
    "ps",
    "--json",
    "-v",
    "--",
  ]]);
});

const named = ["-namespace", "n", "-id", "i"];

Deno.test.each([
  [[], "No action"],
  [["start"], "namespace cannot be empty"],
  [["-id", "i", "lcow", "ps"], "`lcow WORD ID --namespace NS`"],
  [["-namespace", "n", "start"], "id cannot be empty"],
  [[...named, "serve"], "socket cannot be empty"],
  [[...named, "restart"], 'Unknown action "restart"'],
  [["doctor", "-v"], 'Unexpected argument "-v"'],
  [[...named, "start", "more"], 'Unexpected argument "more"'],
  [[...named, "-bogus", "start"], 'Unknown flag "-bogus"'],
  [[...named, "-bundle"], "Flag -bundle needs a value"],
  [[...named, "-debug=maybe", "start"], 'not "maybe"'],
  [["-namespace", "n", "-id", "a/b", "start"], "is not a name"],
  [["-namespace", "n", "-id", "..", "start"], "is not a name"],
  [["-namespace", "n\u0000", "-id", "a", "start"], "is not a name"],
])(
  "parseArguments() refuses %o",
  (args: readonly string[], message: string) => {
    const error = assertThrows(() => parseArguments(args), ShimError, message);
    assertEquals((error as ShimError).code, "InvalidArgument");
  },
);
