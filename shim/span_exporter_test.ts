import { assertEquals } from "@std/assert";

const module = new URL("./span_exporter.ts", import.meta.url).href;

/** Whether a process with these variables exports spans. */
async function exports(
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { spanExporter } from "${module}";
       console.log((await spanExporter()) !== undefined);`,
    ],
    env: { OTEL_DENO_METRICS: "false", OTEL_DENO_CONSOLE: "ignore", ...env },
    stdin: "null",
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("spans are exported by a Deno whose exporter is on, whatever its variables say", async () => {
  const on = { OTEL_DENO: "true" };
  assertEquals(
    await Promise.all([
      exports({ OTEL_DENO: "false" }),
      exports(on),
      exports({ ...on, OTEL_SDK_DISABLED: "true" }),
    ]),
    ["false", "true", "false"],
  );
});
