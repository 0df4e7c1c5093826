import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { cleanUpGroup, findLeftovers } from "./clean_up.ts";
import { listenAt } from "./endpoint.ts";
import { identify } from "./process_identity.ts";
import {
  endpointAddress,
  type StateFolders,
  stateFolders,
  vmFolder,
} from "./state.ts";
import { type SystemRecord, writeRecord } from "./system_record.ts";

async function withState(
  task: (state: StateFolders) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "lcow-c-" });
  try {
    await task(stateFolders(dir));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A machine of this process, or of one that is gone. @returns Its folder. */
async function makeMachine(
  state: StateFolders,
  id: string,
  isAlive: boolean,
): Promise<string> {
  const folder = await vmFolder(state, id);
  await Deno.mkdir(folder, { recursive: true });
  const self = (await identify(Deno.pid))!;
  const record: SystemRecord = {
    id,
    owner: "test",
    runtimeId: "",
    // Of the same pid, but long ago.
    process: isAlive ? self : { ...self, startTime: "1" },
    state: "Created",
    cgroup: {
      name: "lcow-no-such-group",
      layout: { version: 2, hierarchies: [] },
    },
    loops: [],
  };
  await writeRecord(folder, record);
  return folder;
}

/** Leaves a socket behind whose server is gone: a rename hides it from its close. */
async function leaveSocket(state: StateFolders, key: string): Promise<string> {
  const address = await endpointAddress(state, "n", key);
  const listener = await listenAt(address);
  const path = address.slice("unix://".length);
  await Deno.rename(path, `${path}.kept`);
  await listener.close();
  await Deno.rename(`${path}.kept`, path);
  return address;
}

Deno.test("findLeftovers() of a host that was never used finds nothing and makes nothing", async () => {
  await withState(async (state) => {
    assertEquals(await findLeftovers(state), []);
    assertEquals(await Array.fromAsync(Deno.readDir(state.root)), []);
  });
});

Deno.test("findLeftovers() finds what dead shims left, and nothing of those that live", async () => {
  await withState(async (state) => {
    const dead = await makeMachine(state, "dead@vm", false);
    const alive = await makeMachine(state, "alive@vm", true);
    const empty = `${state.vms}/00000000`;
    await Deno.mkdir(empty);
    const address = await leaveSocket(state, "dead");
    const served = await listenAt(await endpointAddress(state, "n", "alive"));

    const found = await findLeftovers(state);
    const names = found.map(({ kind, name, detail }) => [kind, name, detail]);
    assertEquals(
      names.sort(),
      [
        ["endpoint", address, ""],
        ["vm", "dead@vm", `${dead} of the dead shim ${Deno.pid}`],
        ["vm", empty, ""],
      ].sort(),
    );
    const removed = await Promise.all(found.map((left) => left.remove()));
    assertEquals(removed, [true, true, true]);
    assertEquals(await findLeftovers(state), []);
    assertEquals((await Deno.stat(alive)).isDirectory, true);
    await served.close();
  });
});

Deno.test("a leftover stays when somebody took its place meanwhile", async () => {
  await withState(async (state) => {
    await makeMachine(state, "a@vm", false);
    await leaveSocket(state, "a");
    const found = await findLeftovers(state);
    assertEquals(found.length, 2);
    const served = await listenAt(await endpointAddress(state, "n", "a"));
    const folder = await makeMachine(state, "a@vm", true);
    for (const left of found) assertEquals(await left.remove(), false);
    assertEquals((await Deno.stat(`${folder}/system.json`)).isFile, true);
    await served.close();
  });
});

Deno.test("a machine whose record is damaged is found, and its removal says what to do", async () => {
  await withState(async (state) => {
    const folder = await makeMachine(state, "a@vm", false);
    await Deno.writeTextFile(`${folder}/system.json`, "{");
    const [left] = await findLeftovers(state);
    assertEquals(left?.name, folder);
    const error = await assertRejects(
      () => left!.remove(),
      ShimError,
      "remove its folder",
    );
    assertEquals(error.code, "DataLoss");
  });
});

Deno.test("cleanUpGroup() removes endpoint and machine of one group only", async () => {
  await withState(async (state) => {
    await makeMachine(state, "a@vm", false);
    await makeMachine(state, "b@vm", false);
    await leaveSocket(state, "a");
    await cleanUpGroup(state, "n", "a");
    assertEquals((await findLeftovers(state)).map(({ name }) => name), [
      "b@vm",
    ]);
  });
});
