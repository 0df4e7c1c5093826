import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { FakeGuest } from "./fake_guest.ts";

const document = {
  SchemaVersion: { Major: 2, Minor: 1 },
  OciBundlePath: "",
  OciSpecification: {},
  ScratchDirPath: "",
};
const all = { stdin: true, stdout: true, stderr: true };
const nothing = { stdin: false, stdout: false, stderr: false };

Deno.test("a FakeGuest records calls, fails the next of a name, and holds it", async () => {
  const guest = new FakeGuest();
  guest.failNext("createContainer", new ShimError("Unknown", "crun failed"));
  await assertRejects(
    () => guest.createContainer("web", document),
    ShimError,
    "crun failed",
  );
  const release = guest.holdNext("createContainer");
  let created = false;
  const creating = guest.createContainer("web", document).then((container) => {
    created = true;
    return container;
  });
  await Promise.resolve();
  assertEquals(created, false);
  release();
  const container = await creating;
  await container.start();
  guest.terminate("web");
  await container.terminated;
  container.close();
  assertEquals(guest.calls.map(({ call }) => call), [
    "createContainer",
    "createContainer",
    "start",
  ]);
  assertEquals(guest.callsOf("createContainer")[0]?.argument, document);
});

Deno.test("a process of a FakeGuest reads, prints and exits as the test says", async () => {
  const guest = new FakeGuest();
  const process = await guest.execute("web", {}, all);
  await process.stdin?.write(new TextEncoder().encode("hello"));
  await process.closeStdin();
  assertEquals(await process.readInput(), "hello");
  await process.print("out");
  await process.print("err", "stderr");
  await process.exit(3);
  const buffer = new Uint8Array(16);
  assertEquals(await process.stdout?.read(buffer), 3);
  assertEquals(await process.stdout?.read(buffer), null);
  assertEquals(await process.exited, 3);
  assertEquals(await process.signal(15), false);
  await process.close();
  assert(process.closed);
});

Deno.test("a FakeGuest with exitOnKill ends its processes at a kill", async () => {
  const guest = new FakeGuest({ exitOnKill: true });
  const process = await guest.execute("web", {}, nothing);
  assertEquals(await process.signal(15), true);
  assertEquals(await process.signal(), true);
  assertEquals(await process.exited, 137);
});

Deno.test("a lost FakeGuest fails waits and calls as a lost bridge does", async () => {
  const guest = new FakeGuest();
  const process = await guest.execute("web", {}, nothing);
  const container = await guest.createContainer("web", document);
  guest.holdNext("modify");
  const held = guest.modify({ ResourceType: "x", RequestType: "Add" });
  held.catch(() => {});
  guest.lose(new Error("the VM died"));
  await container.terminated;
  for (const lost of [process.exited, held, guest.dumpStacks()]) {
    const error = await assertRejects(() => lost, ShimError, "bridge closed");
    assertEquals(error.code, "Unavailable");
  }
  assertEquals((await guest.ended).error?.message, "the VM died");
});

Deno.test("a FakeGuest asks the test before a call has an effect", async () => {
  const refused = new ShimError("Internal", "injected");
  const asked: string[] = [];
  const guest = new FakeGuest({
    beforeCall: async ({ call, containerId }) => {
      asked.push(`${call} ${containerId}`);
      if (call === "execute") throw refused;
      await Promise.resolve();
    },
  });
  await guest.createContainer("web", document);
  await assertRejects(() => guest.execute("web", {}, nothing), ShimError);
  assertEquals(asked, ["createContainer web", "execute web"]);
  assertEquals(guest.processes, []);
});
