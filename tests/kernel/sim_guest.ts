/**
 * A guest for the tests of the simulated host: dials the bridge port and runs the
 * shell commands that come, one per line; answers `{"code", "output"}` lines. The
 * first line it sends are its arguments.
 *
 * @module
 */

const bridgePort = 0x40000000;

const encoder = new TextEncoder();

async function run(
  script: string,
): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

const connection = await Deno.connect({
  transport: "unix",
  path: `${Deno.env.get("LCOW_VSOCK_DIR")}/${bridgePort}`,
});

async function send(value: unknown): Promise<void> {
  const bytes = encoder.encode(JSON.stringify(value) + "\n");
  for (let sent = 0; sent < bytes.length;) {
    sent += await connection.write(bytes.subarray(sent));
  }
}

await Deno.stderr.write(
  encoder.encode('{"level":"info","msg":"guest runs"}\n'),
);
await send(Deno.args);
let text = "";
for await (
  const chunk of connection.readable.pipeThrough(new TextDecoderStream())
) {
  text += chunk;
  for (let at; (at = text.indexOf("\n")) >= 0; text = text.slice(at + 1)) {
    const line = text.slice(0, at);
    if (line.startsWith("exit ")) Deno.exit(Number(line.slice(5)));
    await send(await run(line));
  }
}
