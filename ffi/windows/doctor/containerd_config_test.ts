import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { parseContainerdConfig } from "./containerd_config.ts";

const deployed = new URL(
  "../../../deploy/containerd-config.toml",
  import.meta.url,
);

const lcow = {
  name: "lcow",
  snapshotter: "windows-lcow",
  path: "",
  bootDirectory: undefined,
};

/** The parts of the deployed file, by the version that they begin with. */
async function snippets(): Promise<Map<number, string>> {
  const text = await Deno.readTextFile(deployed);
  const [, ...parts] = text.split(/^# ?(?=version = \d)/m);
  return new Map(parts.map((part) => [Number(part.slice(10, 11)), part]));
}

Deno.test.each([[2], [3]])(
  "parseContainerdConfig() finds the runtime of the deployed version %d",
  async (version: number) => {
    const text = (await snippets()).get(version);
    assertEquals(parseContainerdConfig(text ?? ""), {
      runtimes: [lcow],
      hasImports: false,
    });
  },
);

Deno.test("parseContainerdConfig() reads path and options, and leaves other runtimes out", () => {
  const { runtimes, hasImports } = parseContainerdConfig(`
version = 3
imports = ['C:\\conf.d\\*.toml']
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.other]
runtime_type = 'io.containerd.runhcs.v1'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.mine]
runtime_type = 'io.containerd.lcow.v2'
runtime_path = 'D:\\shim.exe'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.mine.options]
Boot_Files_Root_Path = 'D:\\boot'
`);
  assertEquals(hasImports, true);
  assertEquals(runtimes, [{
    name: "mine",
    snapshotter: "",
    path: "D:\\shim.exe",
    bootDirectory: "D:\\boot",
  }]);
});

Deno.test("parseContainerdConfig() looks only where containerd does", () => {
  const { runtimes } = parseContainerdConfig(`
version = 3
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.lcow]
runtime_type = "io.containerd.lcow.v2"
`);
  assertEquals(runtimes, []);
});

Deno.test("parseContainerdConfig() takes tables of a wrong type for absent", () => {
  for (
    const plugins of ["plugins = 1", "plugins = [1]", "plugins = 2026-01-01"]
  ) {
    const { runtimes } = parseContainerdConfig(`version = 2\n${plugins}\n`);
    assertEquals(runtimes, []);
  }
});

Deno.test.each([
  ["", "version 1, not 2 or 3"],
  ["version = 4", "version 4, not 2 or 3"],
  ["version = 2\nplugins = [1 2]", "line 2: "],
])("parseContainerdConfig() refuses %o", (text: string, message: string) => {
  const error = assertThrows(
    () => parseContainerdConfig(text),
    ShimError,
    message,
  );
  assertEquals(error.code, "InvalidArgument");
  assertEquals(error.message.split("\n").length, 1);
});
