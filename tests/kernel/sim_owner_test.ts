/**
 * Machines of the simulated host and other processes: those that look at them, and
 * those that clean up after their owner.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HResult } from "../../base/hresult.ts";
import { simulatedPlatform } from "../../sim/host.ts";
import {
  inLab,
  machineDocument,
  processesOf,
  refused,
  scsi,
  testGuest,
} from "./sim_fixture.ts";

/** Starts a process that owns a running machine, and waits until it runs. */
async function owner(state: string): Promise<Deno.ChildProcess> {
  const modules = new URL("./", import.meta.url).href;
  const script = `
    import { machineDocument, TestMachine } from "${modules}sim_fixture.ts";
    import { simulatedHost } from "${modules}../../sim/host.ts";
    const host = await simulatedHost();
    const system = await host.compute.create("a@vm", machineDocument());
    await TestMachine.boot(host.sockets, system);
    await host.platform.listen(await host.platform.endpoint("test", "a"));
    console.log("runs");
    await new Promise(() => setInterval(() => {}, 1000));`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "-q",
      "--no-lock",
      "--cached-only",
      "--config",
      config,
      script,
    ],
    env: { LCOW_STATE: state, LCOW_SIM_GUEST: testGuest },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  assertStringIncludes(new TextDecoder().decode(value), "runs");
  return child;
}

Deno.test("create() refuses an id that lives and names its owner", () =>
  inLab(async ({ boot, another }) => {
    const machine = await boot("a@vm");
    const other = await another();
    await refused(
      () => other.create("a@vm", machineDocument()),
      HResult.SystemAlreadyExists,
      "sim-test",
    );
    await machine.end();
    await (await other.create("a@vm", machineDocument())).close();
  }));

Deno.test("another process sees a machine and can end it", () =>
  inLab(async ({ boot, another }) => {
    const machine = await boot("a@vm");
    const other = await another();
    const [row] = await other.enumerate({ Ids: ["a@vm"] });
    assertEquals(row?.State, "Running");
    assertEquals(row?.RuntimeId, machine.system.runtimeId);
    const system = await other.open("a@vm");
    const properties = await system.properties({
      PropertyTypes: ["Statistics", "Memory"],
    });
    assertStringIncludes(
      JSON.stringify(
        properties,
        (_, value) => typeof value === "bigint" ? Number(value) : value,
      ),
      "AssignedMemory",
    );
    await refused(() => system.modify(scsi(0, "Remove")), 0x80070032);
    await system.terminate();
    assertEquals((await system.exited).exitType, "ForcedExit");
    assertEquals((await machine.system.exited).exitType, "ForcedExit");
    await system.close();
    await refused(
      () => other.open("a@vm"),
      HResult.SystemNotFound,
    );
    await machine.end();
  }));

Deno.test("a machine that another process only looked at goes on", () =>
  inLab(async ({ boot, another }) => {
    const machine = await boot("a@vm");
    const system = await (await another()).open("a@vm");
    await system.close();
    assertEquals(await machine.sh("echo on"), "on");
    await machine.end();
  }));

Deno.test("the machine of a killed shim dies, and cleanUp() removes the rest", () =>
  inLab(async ({ dir }) => {
    const state = `${dir}/state`;
    const child = await owner(state);
    assert((await processesOf(dir)).length > 0);
    child.kill("SIGKILL");
    await child.status;
    const platform = simulatedPlatform(state);
    await platform.cleanUp("test", "a");
    await platform.cleanUp("test", "a");
  }));

Deno.test("cleanUp() leaves the machine of a living shim alone", () =>
  inLab(async ({ dir, another }) => {
    const state = `${dir}/state`;
    const child = await owner(state);
    await simulatedPlatform(state).cleanUp("test", "a");
    const rows = await (await another()).enumerate({});
    assertEquals(rows.length, 1);
    child.kill("SIGKILL");
    await child.status;
    await simulatedPlatform(state).cleanUp("test", "a");
  }));

Deno.test("create() removes what a killed shim left", () =>
  inLab(async ({ dir, boot }) => {
    const child = await owner(`${dir}/state`);
    child.kill("SIGKILL");
    await child.status;
    const machine = await boot("a@vm");
    await machine.end();
    await simulatedPlatform(`${dir}/state`).cleanUp("test", "a");
  }));
