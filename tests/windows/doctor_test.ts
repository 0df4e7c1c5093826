/** `doctor` and broken hosts, run by the Windows build of Deno under Wine. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { HyperVRegistry } from "../../sim/wine/hyperv_registry.ts";
import { forward } from "./forwarder.ts";
import { MemoryHost } from "./memory_host.ts";
import { setUp, spawnWindowsDeno, stopWine } from "./setup.ts";
import { dllOverride } from "./fakes.ts";

const shimMain = new URL("../../shim/main.ts", import.meta.url).pathname;

Deno.test.afterAll(stopWine);

/** Runs `doctor` on a host. @returns Exit code, and what it found by its check. */
async function doctor(
  host: { refused?: ReadonlyMap<string, number>; override?: string } = {},
): Promise<{ code: number; rows: Map<string, string>; errors: string }> {
  await setUp();
  await using forwarder = forward(new MemoryHost());
  await using registry = new HyperVRegistry();
  for (const [name, code] of host.refused ?? []) {
    forwarder.refused.set(name, code);
  }
  const { code, stdout, stderr } = await spawnWindowsDeno(
    shimMain,
    ["doctor"],
    {
      env: {
        LCOW_FORWARDER_PORT: String(forwarder.port),
        LCOW_HVSOCKET_PORT: String(registry.port),
        LCOW_DLL_OVERRIDE: host.override ?? dllOverride,
      },
    },
  ).output();
  const decoder = new TextDecoder();
  const lines = decoder.decode(stdout).split(/\r?\n/);
  const rows = lines.flatMap((line) => {
    const [, check, found] = /^(\S.*?)\s{2,}((?:ok|warning|gap) .*)$/
      .exec(line) ?? [];
    return check === undefined ? [] : [[check, found!] as const];
  });
  return { code, rows: new Map(rows), errors: decoder.decode(stderr) };
}

Deno.test("doctor under Wine finds every function of every DLL, and says what the host lacks", async () => {
  const { code, rows, errors } = await doctor();
  assertEquals({ code, errors }, { code: 1, errors: "" });
  assertEquals(rows.get("Windows build"), "ok       26100");
  for (const [check, found] of rows) {
    if (check.endsWith(".dll")) assertMatch(found, /^ok /, check);
  }
  assertMatch(rows.get("pipe rights")!, /^ok /);
  assertMatch(rows.get("Hyper-V sockets")!, /^ok /);
  assertMatch(rows.get("service vmcompute")!, /^gap +not installed/);
  assertMatch(rows.get("boot files")!, /^gap .*Linux Containers/);
});

Deno.test("doctor under Wine names a DLL that is absent, and a code that nobody knows", async () => {
  const refused = new Map([["HcsGetServiceProperties", 0x8bad_f00d]]);
  const override = `${dllOverride};virtdisk.dll=C:\\windows\\nowhere.dll`;
  const { code, rows } = await doctor({ refused, override });
  assertEquals(code, 1);
  assertMatch(rows.get("virtdisk.dll")!, /^gap .*C:\\windows\\nowhere\.dll/);
  assertMatch(rows.get("compute service")!, /^gap .*HRESULT \(0x8BADF00D\)/);
});

Deno.test("doctor under Wine refuses a DLL by a relative path: it could be anybody's", async () => {
  const { rows } = await doctor({ override: `${dllOverride};ole32.dll=x.dll` });
  const found = rows.get("ole32.dll") ?? "";
  assert(/^gap .*not an absolute path/.test(found), found);
});
