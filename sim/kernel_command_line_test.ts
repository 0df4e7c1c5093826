import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { parseKernelCommandLine } from "./kernel_command_line.ts";

const options = "-v4 -log-format json -loglevel info";

Deno.test("parseKernelCommandLine() finds ports and agent arguments", () => {
  const line =
    `root=/dev/sda ro rootwait init=/init panic=-1 quiet nr_cpus=2 -- -e 1 /bin/vsockexec -e 109 /bin/gcs ${options}`;
  assertEquals(parseKernelCommandLine(line), {
    entropyPort: 1,
    logPort: 109,
    agentArguments: options.split(" "),
  });
});

Deno.test("parseKernelCommandLine() takes a writable overlay, the relay and a console", () => {
  const cases = [
    `-- -e 1 -w /bin/vsockexec -e 109 /bin/gcs ${options}`,
    `a -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs ${options}`,
    `a -- -e 1 sh -c"/bin/vsockexec -e 109 /bin/gcs ${options}& exec sh"`,
  ];
  for (const line of cases) {
    assertEquals(parseKernelCommandLine(line), {
      entropyPort: 1,
      logPort: 109,
      agentArguments: options.split(" "),
    }, line);
  }
});

Deno.test("parseKernelCommandLine() needs neither entropy nor log port", () => {
  assertEquals(parseKernelCommandLine("-- /bin/gcs"), {
    entropyPort: undefined,
    logPort: undefined,
    agentArguments: [],
  });
});

Deno.test("parseKernelCommandLine() says why a guest would not boot", () => {
  const cases: [string, string][] = [
    ["root=/dev/sda quiet", 'behind "--"'],
    ["", 'behind "--"'],
    ["--", "program of init is missing"],
    ["-- -x /bin/gcs", "init has no option -x"],
    ["-- -e", "port of init's -e is missing"],
    ["-- -e one /bin/gcs", "init's -e one is no port"],
    ["-- -e 4294967296 /bin/gcs", "no port"],
    ["-- /bin/vsockexec -q /bin/gcs", "vsockexec has no option -q"],
    ["-- /bin/vsockexec -e 109", "program of init is missing"],
    ["-- -e 1 /bin/sh", "no program /bin/sh"],
  ];
  for (const [line, text] of cases) {
    assertThrows(() => parseKernelCommandLine(line), ShimError, text);
  }
});
