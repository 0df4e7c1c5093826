import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { guestProgram, parseGuestCommand } from "./guest_program.ts";
import { projectRoot } from "./project.ts";

Deno.test("parseGuestCommand() takes a JSON list of texts only", () => {
  assertEquals(parseGuestCommand('["/bin/gcs", "-x"]'), ["/bin/gcs", "-x"]);
  for (const text of ["[]", "{}", '"a"', "[1]", "gcs", ""]) {
    assertThrows(() => parseGuestCommand(text), ShimError, "LCOW_SIM_GUEST");
  }
});

Deno.test("guestProgram() runs our agent with its cache and folders", async () => {
  const cache = await Deno.makeTempDir({ prefix: "lcow-cache-" });
  const env = new Map([["DENO_DIR", cache]]);
  const { command, env: given, shared } = await guestProgram((name) =>
    env.get(name)
  );
  assertEquals(command[0], Deno.execPath());
  assertEquals(command.at(-1), `${projectRoot}/guest/main.ts`);
  assertEquals(given["DENO_DIR"], cache);
  assertEquals(given["LD_LIBRARY_PATH"], undefined);
  assert(shared.some(({ path, readOnly }) => path === projectRoot && readOnly));
  assertEquals(shared.at(-1), { path: cache, readOnly: false });
  await Deno.remove(cache);
});

Deno.test("guestProgram() shares the folder of another agent", async () => {
  const file = await Deno.makeTempFile({ prefix: "lcow-agent-" });
  const { command, shared } = await guestProgram((name) =>
    name === "LCOW_SIM_GUEST" ? JSON.stringify([file, "/no/such"]) : undefined
  );
  assertEquals(command, [file, "/no/such"]);
  const folder = file.slice(0, file.lastIndexOf("/"));
  assert(shared.some(({ path }) => path === folder));
  assert(!shared.some(({ path }) => path === "/no"));
  await Deno.remove(file);
});
