import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { type InitArguments, parseInitArguments } from "./arguments.ts";

const agent = ["/bin/vsockexec", "-e", "109", "/bin/gcs", "-v4"];

const rows: readonly (readonly [string[], InitArguments])[] = [
  [["-e", "1", ...agent], { entropyPort: 1, overlays: false, program: agent }],
  [["-w", ...agent], { overlays: true, program: agent }],
  [["-d", "/bin/sh", ...agent], {
    shell: "/bin/sh",
    overlays: false,
    program: agent,
  }],
  // As the kernel hands over what the host writes for a serial console.
  [["-e", "1", "sh", '-c"/bin/gcs -a=b& exec sh"'], {
    entropyPort: 1,
    overlays: false,
    program: ["sh", "-c", "/bin/gcs -a=b& exec sh"],
  }],
  [[], {
    shell: "/bin/sh",
    overlays: false,
    program: ["/bin/gcs", "-loglevel", "debug", "-logfile=/run/gcs/gcs.log"],
  }],
];

for (const [args, expected] of rows) {
  Deno.test(`parseInitArguments() reads "${args.join(" ")}"`, () => {
    assertEquals(parseInitArguments(args), expected);
  });
}

Deno.test("parseInitArguments() refuses what init does not know", () => {
  const wrong: [string[], string][] = [
    [["-x", "/bin/gcs"], '"-x"'],
    [["-e", "many", "/bin/gcs"], '"many"'],
    [["-e", "4294967296"], '"4294967296"'],
    [["-e"], "-e"],
    [["-d"], '"-d"'],
  ];
  for (const [args, message] of wrong) {
    assertThrows(() => parseInitArguments(args), ShimError, message);
  }
});
