import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { parseVsockexec, type VsockexecArguments } from "./vsockexec.ts";

const rows: readonly (readonly [string, VsockexecArguments])[] = [
  ["-e 109 /bin/gcs -v4", {
    relay: false,
    ports: [undefined, undefined, 109],
    program: ["/bin/gcs", "-v4"],
  }],
  ["-r -o 109 -e 109 -- -strange", {
    relay: true,
    ports: [undefined, 109, 109],
    program: ["-strange"],
  }],
  ["-i 5 -o 0 cat", {
    relay: false,
    ports: [5, undefined, undefined],
    program: ["cat"],
  }],
];

for (const [line, expected] of rows) {
  Deno.test(`parseVsockexec() reads "${line}"`, () => {
    assertEquals(parseVsockexec(line.split(" ")), expected);
  });
}

Deno.test("parseVsockexec() refuses what it cannot do", () => {
  const wrong: [string, string][] = [
    ["-e 109", "needs a program"],
    ["-x /bin/gcs", '"-x"'],
    ["-e log /bin/gcs", '"log"'],
    ["-r -i 5 /bin/gcs", "-o or -e"],
    ["-r -e 0 /bin/gcs", "-o or -e"],
  ];
  for (const [line, message] of wrong) {
    assertThrows(() => parseVsockexec(line.split(" ")), ShimError, message);
  }
});

/** A host, and a vsockexec that reaches it over TCP. */
async function withHost(
  args: readonly string[],
  test: (
    accept: () => Promise<[port: number, text: Promise<string>]>,
    child: Deno.ChildProcess,
  ) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const script = new URL("./vsockexec.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", "--no-lock", script, ...args],
    env: { LCOW_VSOCK_TCP: `127.0.0.1:${listener.addr.port}` },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  try {
    await test(async () => {
      const conn = await listener.accept();
      const bytes = new Uint8Array(4);
      await conn.read(bytes);
      const port = new DataView(bytes.buffer).getUint32(0);
      return [port, new Response(conn.readable).text()];
    }, child);
  } finally {
    await child.status;
    listener.close();
  }
}

Deno.test("vsockexec becomes the program, whose errors go to the host's port", () =>
  withHost(
    ["-e", "109", "sh", "-c", "echo out; echo to the host >&2; exit 3"],
    async (accept, child) => {
      const [port, text] = await accept();
      const out = new Response(child.stdout).text();
      assertEquals(port, 109);
      assertEquals(await text, "to the host\n");
      assertEquals(await out, "out\n");
      assertEquals((await child.status).code, 3);
    },
  ));

Deno.test("vsockexec -r stays beside the program and ends as it does", () =>
  withHost(
    ["-r", "-e", "109", "sh", "-c", "echo to the host >&2; kill -9 $$"],
    async (accept, child) => {
      const [port, text] = await accept();
      const out = new Response(child.stdout).text();
      assertEquals(port, 109);
      assertEquals(await text, "to the host\n");
      assertEquals(await out, "");
      assertEquals((await child.status).code, 137);
    },
  ));

Deno.test("vsockexec fails where there is no program", async () => {
  await withHost(["/no/such/program"], async (_, child) => {
    await new Response(child.stdout).text();
    assertEquals((await child.status).code, 1);
  });
});
